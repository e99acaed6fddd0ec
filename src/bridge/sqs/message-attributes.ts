/**
 * Message attributes: read from a request, put into a queue as the attributes of its entry, and taken from there again, with nothing lost. In
 * an entry a value is text; the types that are not String stand in one more attribute beside, under a name that no sender can
 * use. So a consumer over MQTT sees them by their names, binary ones in base64.
 */
import { hash } from 'node:crypto';
import { invalidParameter, SqsError } from './sqs-error.js';
import type { SqsInput } from './sqs-input.js';
import { hasForbidden } from './xml-text.js';

export interface MessageAttribute {
  readonly name: string;
  /** String, Number or Binary, perhaps with a label behind a dot. */
  readonly type: string;
  /** Binary: the bytes. */
  readonly value: string | Buffer;
}

export type EntryAttributes = readonly (readonly [name: string, value: string])[];

/** As SQS. */
export const MOST_ATTRIBUTES = 10;
const LONGEST_NAME = 256;
const LONGEST_TYPE = 256;

const NAME = /^(?!\.)(?!.*\.\.)(?!.*\.$)[A-Za-z0-9_.-]+$/;
const RESERVED_NAME = /^(aws|amazon)\./i;
const TYPE = /^(String|Number|Binary)(\..+)?$/s;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** Of an entry: no sender can use such a name. */
const TYPES_NAME = 'AWS.DataTypes';
const TRACE_NAME = 'AWS.TraceHeader';

const STRING_MARK = 1;
const BINARY_MARK = 2;

/** @throws SqsError */
export function readMessageAttributes(given: ReadonlyMap<string, SqsInput>): MessageAttribute[] {
  if (given.size === 0) return NO_ATTRIBUTES as MessageAttribute[];
  if (given.size > MOST_ATTRIBUTES) {
    const message = `Number of message attributes [${given.size}] exceeds the allowed maximum [${MOST_ATTRIBUTES}].`;
    throw new SqsError('InvalidParameterValueException', message);
  }
  return [...given].map(([name, input]) => readAttribute(name, input));
}

const NO_ATTRIBUTES: readonly MessageAttribute[] = [];

function readAttribute(name: string, input: SqsInput): MessageAttribute {
  if (!isAttributeName(name)) {
    throw invalidParameter(
      'MessageAttributeName',
      name,
      'It can contain alphanumeric characters, hyphens, underscores and dots, and is none that is reserved.',
    );
  }
  const type = input.text('DataType') ?? '';
  if (!TYPE.test(type) || type.length > LONGEST_TYPE) {
    const message = `The type of message (user) attribute '${name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.`;
    throw new SqsError('InvalidParameterValueException', message);
  }
  const value = type.startsWith('Binary')
    ? Buffer.from(input.text('BinaryValue') ?? '', 'base64')
    : (input.text('StringValue') ?? '');
  if (value.length === 0) {
    const message = `Message (user) attribute '${name}' must contain a non-empty value of type '${type}'.`;
    throw new SqsError('InvalidParameterValueException', message);
  }
  if (typeof value === 'string' && hasForbidden(value)) {
    throw invalidParameter('MessageAttributeValue', name, 'It contains characters that are not allowed.');
  }
  if (type.startsWith('Number') && !NUMBER.test(String(value))) {
    throw invalidParameter('MessageAttributeValue', value, `Could not cast message attribute '${name}' to number.`);
  }
  return { name, type, value };
}

/** Whether a sender could use it. */
export function isAttributeName(name: string): boolean {
  return name.length <= LONGEST_NAME && NAME.test(name) && !RESERVED_NAME.test(name);
}

/** What attributes count of a message's size. */
export function sizeOfAttributes(attributes: readonly MessageAttribute[]): number {
  let bytes = 0;
  for (const { name, type, value } of attributes) {
    bytes += name.length + Buffer.byteLength(type) + Buffer.byteLength(value);
  }
  return bytes;
}

/** As SDKs check it: sorted by name; each part behind its length. @returns hexadecimal */
export function md5OfAttributes(attributes: readonly MessageAttribute[]): string {
  const parts: Buffer[] = [];
  const add = (part: Buffer): void => {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(part.length);
    parts.push(length, part);
  };
  const sorted = [...attributes].sort((one, other) => (one.name < other.name ? -1 : 1));
  for (const { name, type, value } of sorted) {
    add(Buffer.from(name));
    add(Buffer.from(type));
    parts.push(Buffer.from([typeof value === 'string' ? STRING_MARK : BINARY_MARK]));
    add(typeof value === 'string' ? Buffer.from(value) : value);
  }
  return hash('md5', Buffer.concat(parts), 'hex');
}

/** @param trace the AWSTraceHeader, if one was given */
export function toEntryAttributes(attributes: readonly MessageAttribute[], trace: string | undefined): EntryAttributes {
  if (attributes.length === 0 && trace === undefined) return NO_ENTRY_ATTRIBUTES;
  const typed = attributes.filter(({ type }) => type !== 'String');
  return [
    ...attributes.map(
      ({ name, value }) => [name, typeof value === 'string' ? value : value.toString('base64')] as const,
    ),
    ...(typed.length === 0
      ? []
      : [[TYPES_NAME, JSON.stringify(Object.fromEntries(typed.map(({ name, type }) => [name, type])))] as const]),
    ...(trace === undefined ? [] : [[TRACE_NAME, trace] as const]),
  ];
}

const NO_ENTRY_ATTRIBUTES: EntryAttributes = [];

export function fromEntryAttributes(attributes: EntryAttributes): MessageAttribute[] {
  const types = attributes.find(([name]) => name === TYPES_NAME)?.[1];
  const known = types === undefined ? {} : readTypes(types);
  return attributes
    .filter(([name]) => name !== TYPES_NAME && name !== TRACE_NAME)
    .map(([name, text]) => {
      const type = Object.hasOwn(known, name) ? String(known[name]) : 'String';
      return { name, type, value: type.startsWith('Binary') ? Buffer.from(text, 'base64') : text };
    });
}

/** A rule of the bridge may have written anything there. */
function readTypes(text: string): Readonly<Record<string, unknown>> {
  try {
    const types: unknown = JSON.parse(text);
    return typeof types === 'object' && types !== null ? (types as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function traceHeaderOf(attributes: EntryAttributes): string | undefined {
  return attributes.find(([name]) => name === TRACE_NAME)?.[1];
}
