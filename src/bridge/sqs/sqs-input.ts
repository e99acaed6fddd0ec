/**
 * What a request asks for, by the names of the JSON protocol; the Query protocol is brought into the same form. A number or a boolean may
 * come as text, as that protocol sends it. What has another type than it should have is refused where it is read.
 */
import { invalidParameter, missingParameter, SqsError } from './sqs-error.js';

export type InputFields = Readonly<Record<string, unknown>>;

export class SqsInput {
  readonly #fields: InputFields;

  constructor(fields: InputFields) {
    this.#fields = fields;
  }

  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  /** @throws SqsError */
  text(name: string): string | undefined {
    const value = this.#value(name);
    if (value === undefined || typeof value === 'string') return value;
    throw wrongType(name);
  }

  /** @throws SqsError if it is missing or empty */
  neededText(name: string): string {
    const text = this.text(name);
    if (text === undefined || text === '') throw missingParameter(name);
    return text;
  }

  /** A whole number within bounds. @throws SqsError */
  whole(name: string, least: number, most: number): number | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number') throw wrongType(name);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw invalidParameter(name, value, `Must be between ${least} and ${most}, if provided.`);
  }

  /** @throws SqsError */
  neededWhole(name: string, least: number, most: number): number {
    const number = this.whole(name, least, most);
    if (number === undefined) throw missingParameter(name);
    return number;
  }

  /** A list of texts, empty if it is not given. @throws SqsError */
  texts(name: string): readonly string[] {
    const value = this.#value(name) ?? [];
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw wrongType(name);
    return value;
  }

  /** A list of structures, empty if it is not given. @throws SqsError */
  list(name: string): SqsInput[] {
    const value = this.#value(name) ?? [];
    if (!Array.isArray(value)) throw wrongType(name);
    return value.map((item) => new SqsInput(fieldsOf(item, name)));
  }

  /** A map of texts, empty if it is not given; numbers and booleans count as texts. @throws SqsError */
  textMap(name: string): ReadonlyMap<string, string> {
    const entries = Object.entries(fieldsOf(this.#value(name) ?? {}, name));
    return new Map(
      entries.map(([key, value]) => {
        if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') throw wrongType(name);
        return [key, String(value)];
      }),
    );
  }

  /** A map of structures, empty if it is not given. @throws SqsError */
  map(name: string): ReadonlyMap<string, SqsInput> {
    const value = this.#value(name);
    if (value === undefined) return NOTHING;
    return new Map(
      Object.entries(fieldsOf(value, name)).map(([key, item]) => [key, new SqsInput(fieldsOf(item, name))]),
    );
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? (this.#fields[name] ?? undefined) : undefined;
  }
}

const NOTHING: ReadonlyMap<string, SqsInput> = new Map();

function fieldsOf(value: unknown, name: string): InputFields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as InputFields;
  throw wrongType(name);
}

function wrongType(name: string): SqsError {
  return new SqsError('SerializationException', `The parameter ${name} has the wrong type.`);
}
