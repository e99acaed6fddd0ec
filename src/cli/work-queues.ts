/**
 * Puts work queues and bridge together: the queues stand in the broker's store, the bridge takes what is published into them. Passed to
 * the broker as its `queues` and `sink`; what the configuration says of queues is applied as soon as the store has been read.
 */
import { randomBytes } from 'node:crypto';
import { Bridge, type Figures } from '../bridge/bridge.js';
import type { BridgeRule } from '../bridge/bridge-rule.js';
import type { PushLog } from '../bridge/push/push-worker.js';
import { NO_PUSHES, Pushes, type PushSettings } from '../bridge/push/pushes.js';
import { QueueDoor } from '../bridge/queue-door.js';
import { type ReceiptPublication, receiptPublication } from '../bridge/receipt-publication.js';
import { decodePublishProperties } from '../codec/publish-properties.js';
import type { Clock } from '../core/clock.js';
import type { DropCounters } from '../core/drop-counters.js';
import { InvalidState } from '../core/errors.js';
import type { PublishSink } from '../core/publish-sink.js';
import type { QueueOptions } from '../queues/queue-options.js';
import { QueueRegistry } from '../queues/queue-registry.js';
import { StoredQueueLog } from '../queues/stored-queue-log.js';
import type { Store } from '../store/store.js';
import { packageVersion } from './version.js';

export interface WorkQueueSettings {
  /** By name, with all their options. */
  readonly queues: ReadonlyMap<string, QueueOptions>;
  readonly rules: readonly BridgeRule[];
  /** Default: none is pushed. */
  readonly pushes?: PushSettings;
}

export const NO_WORK_QUEUES: WorkQueueSettings = { queues: new Map(), rules: [] };

const SILENT: PushLog = { info: () => {}, warn: () => {} };

export class WorkQueues {
  readonly registry: QueueRegistry;
  /** For the broker: the queues in its store. */
  readonly queues: StoredQueueLog;
  readonly #settings: WorkQueueSettings;
  #bridge: Bridge | null = null;
  #unconfigured: readonly string[] = [];

  /** @param log of the webhooks; nothing is told without it */
  constructor(store: Store, clock: Clock, settings: WorkQueueSettings, log: PushLog = SILENT) {
    this.#settings = settings;
    this.queues = new StoredQueueLog(store, clock);
    this.registry = new QueueRegistry(this.queues, this.queues.clock, randomBytes);
    this.work = new QueueDoor(this.registry);
    this.pushes = new Pushes(settings.pushes ?? NO_PUSHES, this.work, {
      clock,
      log,
      userAgent: `millrace/${packageVersion()}`,
      propertiesOf: decodePublishProperties,
    });
    this.queues.connect(this.registry, () => this.#onRestored());
  }

  /** For the broker: hands out what is in the queues. */
  readonly work: QueueDoor;

  /** To be started when the broker serves, and stopped before the queues are. */
  readonly pushes: Pushes;

  /** For the broker: takes what is published. */
  readonly sink = (drops: DropCounters): PublishSink => {
    this.#bridge = new Bridge(this.#settings.rules, this.registry, drops);
    this.#bridge.addFigures(() => this.pushes.figures());
    return this.#bridge;
  };

  /** Queues that the store has, and the configuration does not name: they are served as before. */
  get unconfigured(): readonly string[] {
    return this.#unconfigured;
  }

  /** Told with those of the queues. */
  addFigures(figures: Figures): void {
    this.#bridge?.addFigures(figures);
  }

  /** Has receipts published: who published a message, and asked for it, is told what became of it. */
  giveReceipts(publish: (request: ReceiptPublication) => void): void {
    this.registry.onReceipt = (notice) => publish(receiptPublication(notice));
  }

  /** Calls nobody any more; what consumers have goes back. */
  stop(): void {
    this.work.close();
    this.registry.stop();
  }

  /** @throws InvalidState if a queue was made with another type; nothing has been changed then */
  #onRestored(): void {
    const { queues } = this.#settings;
    for (const [name, options] of queues) this.#checkType(name, options);
    this.#unconfigured = [...this.registry.queues()].map(({ name }) => name).filter((name) => !queues.has(name));
    for (const [name, options] of queues) {
      const known = this.registry.find(name);
      if (known === undefined) {
        this.registry.ensure(name, options);
        continue;
      }
      // The configuration says nothing of the others: they were set from elsewhere.
      const annotations = { ...known.options.annotations, ...options.annotations };
      const wanted = { ...options, annotations };
      if (JSON.stringify(known.options) !== JSON.stringify(wanted)) this.registry.configure(name, wanted);
    }
    this.#bridge?.open();
  }

  #checkType(name: string, { type }: QueueOptions): void {
    const known = this.registry.find(name);
    if (known === undefined || known.options.type === type) return;
    throw new InvalidState(
      `queues.${name}.type is ${type}, but the queue that is stored is a ${known.options.type} queue, and the type of a queue ` +
        'cannot be changed: give the new queue another name, or delete the old one first',
    );
  }
}
