/** The books of a run against the SQS endpoint: what it has promised to senders and to workers, and what came afterwards. */
export interface SqsDelivery {
  readonly body: string;
  readonly receiveCount: number;
  /** When it was asked for. */
  readonly askedAtMs: number;
}

interface Record {
  isPromised: boolean;
  receiveCount: number;
  /** When the answer came that it is deleted. */
  deletedAtMs: number;
}

export class SqsBook {
  readonly violations: string[] = [];
  /** Answers to those who sent, and to those who deleted. */
  promised = 0;
  deleted = 0;
  deliveries = 0;
  readonly #records = new Map<string, Record>();

  recordSent(body: string): void {
    this.#records.set(body, { isPromised: false, receiveCount: 0, deletedAtMs: Number.POSITIVE_INFINITY });
  }

  recordPromised(body: string): void {
    this.promised++;
    this.#get(body).isPromised = true;
  }

  recordDelivery({ body, receiveCount, askedAtMs }: SqsDelivery): void {
    this.deliveries++;
    const record = this.#records.get(body);
    if (record === undefined) {
      this.violations.push(`${body} was received, and never sent`);
      return;
    }
    // One that was given out before it was deleted may arrive after the answer to that.
    if (askedAtMs > record.deletedAtMs) this.violations.push(`${body} came again after it was deleted`);
    // A receive counts, and is on disk, before it is answered.
    if (receiveCount <= record.receiveCount) {
      this.violations.push(`${body} was received for the ${receiveCount}th time after the ${record.receiveCount}th`);
    }
    record.receiveCount = Math.max(record.receiveCount, receiveCount);
  }

  recordDeleted(body: string, atMs: number): void {
    const record = this.#get(body);
    if (record.deletedAtMs !== Number.POSITIVE_INFINITY) return;
    this.deleted++;
    record.deletedAtMs = atMs;
  }

  /** Everything that was there has been received and deleted. @returns what the endpoint did not keep of its word */
  verdict(): readonly string[] {
    const lost = [...this.#records].filter(([, { isPromised, receiveCount }]) => isPromised && receiveCount === 0);
    return [...this.violations, ...lost.map(([body]) => `${body} was promised, and never came`)];
  }

  #get(body: string): Record {
    const record = this.#records.get(body);
    if (record === undefined) throw new Error(`nobody has sent ${body}`);
    return record;
  }
}
