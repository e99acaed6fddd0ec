/** What somebody wants to see who looks at a queue: which messages, and how many of them at a time. */
import { PEEKED_STATES, type PeekedState } from './peeked-message.js';
import { InvalidQueueOption } from './queue-errors.js';

export interface PeekOptions {
  /** Messages at most; 1 to 1000, 10 unless given. */
  readonly max?: number;
  /** Bytes of content at which the page ends; it has at least one message. 1 MiB unless given. */
  readonly maxBytes?: number;
  /** Messages in any state unless given. */
  readonly state?: PeekedState;
  /** Messages with higher numbers: {@link PeekPage.cursor} of the page before; from the oldest on unless given. */
  readonly afterSequence?: number;
  /** Of one group only. */
  readonly group?: string;
  /** Those with these numbers only. */
  readonly sequences?: readonly number[];
  /** Those with these ids only; everything is read to find them. */
  readonly ids?: readonly string[];
}

const DEFAULT_MESSAGES = 10;
const MOST_MESSAGES = 1000;
const DEFAULT_BYTES = 2 ** 20;
const MOST_BYTES = 64 * 2 ** 20;

/** What is left out is filled in. @throws InvalidQueueOption naming what makes no sense */
export function checkPeekOptions(
  options: PeekOptions,
): PeekOptions & Required<Pick<PeekOptions, 'max' | 'maxBytes' | 'afterSequence'>> {
  if (options.state !== undefined && !(options.state in PEEKED_STATES)) {
    throw new InvalidQueueOption('state', `is none of ${Object.keys(PEEKED_STATES).join(', ')}`);
  }
  return {
    ...options,
    max: whole('max', options.max ?? DEFAULT_MESSAGES, 1, MOST_MESSAGES),
    maxBytes: whole('maxBytes', options.maxBytes ?? DEFAULT_BYTES, 1, MOST_BYTES),
    afterSequence: whole('afterSequence', options.afterSequence ?? 0, 0, Number.MAX_SAFE_INTEGER),
  };
}

function whole(option: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new InvalidQueueOption(option, `is no whole number from ${least} to ${most}`);
}
