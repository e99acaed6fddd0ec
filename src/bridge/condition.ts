/** What a rule asks of a message: one user property or one field of its JSON payload, and what must be true of it. */
import type { MessageView, Scalar } from './message-view.js';

export interface Condition {
  /** Name of a user property; the first one counts. */
  readonly property?: string | undefined;
  /** Keys on the way to a field of the payload, with dots between: `reading.celsius`. */
  readonly json?: string | undefined;
  /** False: it must not be there. A payload that is no JSON satisfies nothing about its fields, not even this. */
  readonly exists?: boolean | undefined;
  readonly equals?: Scalar | undefined;
  readonly not?: Scalar | undefined;
  readonly in?: readonly Scalar[] | undefined;
  readonly prefix?: string | undefined;
  readonly greaterThan?: number | undefined;
  readonly atLeast?: number | undefined;
  readonly lessThan?: number | undefined;
  readonly atMost?: number | undefined;
}

/** A condition made ready to be asked for each message. */
export class CompiledCondition {
  readonly #condition: Condition;
  readonly #path: readonly string[] | null;

  constructor(condition: Condition) {
    this.#condition = condition;
    this.#path = condition.json === undefined ? null : condition.json.split('.');
  }

  /** Everything that it says is true of the message. What is not there satisfies `exists: false` alone. */
  holds(view: MessageView): boolean {
    if (this.#path !== null) return view.isJson && this.#isTrueOf(view.field(this.#path), sameScalar);
    return this.#isTrueOf(view.property(this.#condition.property ?? ''), sameText);
  }

  #isTrueOf(value: Scalar | undefined, isSame: (one: Scalar, other: Scalar) => boolean): boolean {
    const { exists, equals, not, prefix } = this.#condition;
    if (value === undefined) return exists === false;
    if (exists === false) return false;
    if (equals !== undefined && !isSame(value, equals)) return false;
    if (not !== undefined && isSame(value, not)) return false;
    if (this.#condition.in?.some((each) => isSame(value, each)) === false) return false;
    if (prefix !== undefined && !(typeof value === 'string' && value.startsWith(prefix))) return false;
    return this.#isWithin(value);
  }

  #isWithin(value: Scalar): boolean {
    const { greaterThan, atLeast, lessThan, atMost } = this.#condition;
    if (greaterThan === undefined && atLeast === undefined && lessThan === undefined && atMost === undefined)
      return true;
    const number = numberOf(value);
    // Comparisons with NaN are false: what is no number is within nothing.
    return (
      (greaterThan === undefined || number > greaterThan) &&
      (atLeast === undefined || number >= atLeast) &&
      (lessThan === undefined || number < lessThan) &&
      (atMost === undefined || number <= atMost)
    );
  }
}

function sameScalar(one: Scalar, other: Scalar): boolean {
  return one === other;
}

/** User properties are text. */
function sameText(one: Scalar, other: Scalar): boolean {
  return one === String(other);
}

/** @returns NaN for what is no number */
export function numberOf(value: Scalar | undefined): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
}
