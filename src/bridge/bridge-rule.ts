/** One rule: the messages of which topics go into which queues, and with what. */
import type { EnqueueOptions } from '../queues/intake.js';
import { CompiledCondition, type Condition, numberOf } from './condition.js';
import type { MessageView } from './message-view.js';
import { type TextReader, textReader, type ValueSource } from './value-source.js';

export interface BridgeRule {
  readonly name: string;
  /** Topic filters, not shared ones. A topic that begins with `$` is matched only by a filter that does. */
  readonly topics: readonly string[];
  /** Names of queues: each gets the message, which is stored once. */
  readonly queues: readonly string[];
  /** All of them must hold. */
  readonly where?: readonly Condition[] | undefined;
  readonly group?: ValueSource | undefined;
  readonly deduplicationId?: ValueSource | undefined;
  readonly key?: ValueSource | undefined;
  /** 0 to 9; what a source gives counts if it is such a number. */
  readonly priority?: number | ValueSource | undefined;
  /** Instead of the queue's. A user property holds seconds; it is lowered to the bound, and ignored if it is no number. */
  readonly delay?: number | { readonly property: string; readonly maximumMs: number } | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** What happens when a queue takes no more: the publisher is refused, or the message is dropped for this queue. */
  readonly onFull: 'refuse' | 'drop';
}

const HIGHEST_PRIORITY = 9;
const NO_ATTRIBUTES: readonly (readonly [string, string])[] = [];

/** A rule made ready to be asked for each message. */
export class CompiledRule {
  readonly queues: readonly string[];
  readonly mayRefuse: boolean;
  /** Of the order in which rules are asked. */
  readonly place: number;
  readonly #rule: BridgeRule;
  readonly #conditions: readonly CompiledCondition[];
  readonly #group: TextReader | null;
  readonly #deduplicationId: TextReader | null;
  readonly #key: TextReader | null;
  readonly #priority: TextReader | number;
  readonly #attributes: readonly (readonly [name: string, value: string])[];

  constructor(rule: BridgeRule, place: number) {
    const { queues, onFull, where = [], group, deduplicationId, key, priority = 0, attributes } = rule;
    this.queues = queues;
    this.mayRefuse = onFull === 'refuse';
    this.place = place;
    this.#rule = rule;
    this.#conditions = where.map((condition) => new CompiledCondition(condition));
    this.#group = group === undefined ? null : textReader(group);
    this.#deduplicationId = deduplicationId === undefined ? null : textReader(deduplicationId);
    this.#key = key === undefined ? null : textReader(key);
    this.#priority = typeof priority === 'number' ? priority : textReader(priority);
    this.#attributes = attributes === undefined ? NO_ATTRIBUTES : Object.entries(attributes);
  }

  concerns(view: MessageView): boolean {
    for (const condition of this.#conditions) if (!condition.holds(view)) return false;
    return true;
  }

  /** With what the message goes into the queues. */
  optionsFor(view: MessageView): EnqueueOptions {
    const options: { -readonly [Key in keyof EnqueueOptions]: EnqueueOptions[Key] } = {
      group: this.#group === null ? '' : this.#group(view),
      key: this.#key === null ? '' : this.#key(view),
      priority: this.#priorityOf(view),
      attributes: this.#attributes,
    };
    const delayMs = this.#delayMsOf(view);
    if (delayMs !== undefined) options.delayMs = delayMs;
    const deduplicationId = this.#deduplicationId === null ? '' : this.#deduplicationId(view);
    if (deduplicationId !== '') options.deduplicationId = deduplicationId;
    return options;
  }

  #priorityOf(view: MessageView): number {
    if (typeof this.#priority === 'number') return this.#priority;
    const priority = numberOf(this.#priority(view));
    return Number.isInteger(priority) && priority >= 0 && priority <= HIGHEST_PRIORITY ? priority : 0;
  }

  #delayMsOf(view: MessageView): number | undefined {
    const { delay } = this.#rule;
    if (delay === undefined || typeof delay === 'number') return delay;
    const delayMs = Math.round(numberOf(view.property(delay.property)) * 1000);
    return delayMs >= 0 ? Math.min(delayMs, delay.maximumMs) : undefined;
  }
}
