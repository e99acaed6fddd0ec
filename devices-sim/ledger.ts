/**
 * The book of one run: which readings each device sent and which of them came back. The devices write the left side
 * before they publish, the observer writes the right side, the report reads both. Memory grows with what is under way,
 * not with what was sent, so that an endless run (`--loop`) can be kept too.
 */
import { LatencyHistogram } from './latency-histogram.js';

/** What became of one device's readings. */
export interface DeviceAccount {
  readonly device: string;
  readonly sent: number;
  readonly acknowledged: number;
  /** Readings that the broker answered with an error. */
  readonly refused: number;
  /** Different readings that came back; a duplicate is not counted here. */
  readonly received: number;
  /** Sent and not yet received: at the end of a run, lost. */
  readonly missing: number;
  readonly duplicated: number;
  /** Readings that came after one with a higher sequence number. */
  readonly outOfOrder: number;
}

/** The sums over all devices, and what belongs to none. */
export interface LedgerTotals extends Omit<DeviceAccount, 'device'> {
  /** Messages on the run's topics that no device of this run has sent. */
  readonly unexpected: number;
}

/** What one arriving reading was. */
export type Arrival = 'new' | 'duplicate' | 'out of order' | 'unexpected';

interface Entry {
  sent: number;
  acknowledged: number;
  refused: number;
  received: number;
  duplicated: number;
  outOfOrder: number;
  highestReceived: number;
  /** Sequence numbers that were sent and have not come back. */
  readonly missing: Set<number>;
}

export class Ledger {
  readonly latency = new LatencyHistogram();
  readonly #entries = new Map<string, Entry>();
  #unexpected = 0;
  #firstRefusal: string | undefined;

  /** A device is about to send its next reading; returns the sequence number for it: 0, 1, 2, … for each device. */
  recordSent(device: string): number {
    const entry = this.#ensureEntry(device);
    const sequence = entry.sent;
    entry.sent += 1;
    entry.missing.add(sequence);
    return sequence;
  }

  /** The broker has acknowledged a reading; at QoS 0, the socket has taken it. */
  recordAcknowledged(device: string): void {
    this.#ensureEntry(device).acknowledged += 1;
  }

  /** The broker has answered a reading with an error, for instance that the topic is not allowed. */
  recordRefused(device: string, reason: string): void {
    this.#ensureEntry(device).refused += 1;
    this.#firstRefusal ??= reason;
  }

  /** Why the first refused reading was refused; undefined when none was. */
  get firstRefusal(): string | undefined {
    return this.#firstRefusal;
  }

  /**
   * A reading has arrived at the observer.
   * @param latencyMs from handing the reading to the MQTT client to its arrival; only that of new ones is counted
   */
  recordReceived(device: string, sequence: number, latencyMs: number): Arrival {
    const entry = this.#entries.get(device);
    if (entry === undefined || !Number.isInteger(sequence) || sequence < 0 || sequence >= entry.sent) {
      return this.recordUnexpected();
    }
    if (!entry.missing.delete(sequence)) {
      entry.duplicated += 1;
      return 'duplicate';
    }
    entry.received += 1;
    this.latency.record(latencyMs);
    if (sequence < entry.highestReceived) {
      entry.outOfOrder += 1;
      return 'out of order';
    }
    entry.highestReceived = sequence;
    return 'new';
  }

  /** Something arrived on the run's topics that is not a reading of this run. */
  recordUnexpected(): Arrival {
    this.#unexpected += 1;
    return 'unexpected';
  }

  /** Every device that has sent something, in the order in which they began. */
  accounts(): DeviceAccount[] {
    return [...this.#entries].map(([device, { missing, highestReceived: _, ...counts }]) => ({
      device,
      ...counts,
      missing: missing.size,
    }));
  }

  totals(): LedgerTotals {
    const totals = { sent: 0, acknowledged: 0, refused: 0, received: 0, missing: 0, duplicated: 0, outOfOrder: 0 };
    for (const entry of this.#entries.values()) {
      totals.sent += entry.sent;
      totals.acknowledged += entry.acknowledged;
      totals.refused += entry.refused;
      totals.received += entry.received;
      totals.missing += entry.missing.size;
      totals.duplicated += entry.duplicated;
      totals.outOfOrder += entry.outOfOrder;
    }
    return { ...totals, unexpected: this.#unexpected };
  }

  #ensureEntry(device: string): Entry {
    let entry = this.#entries.get(device);
    if (entry === undefined) {
      entry = {
        sent: 0,
        acknowledged: 0,
        refused: 0,
        received: 0,
        duplicated: 0,
        outOfOrder: 0,
        highestReceived: -1,
        missing: new Set(),
      };
      this.#entries.set(device, entry);
    }
    return entry;
  }
}
