/** What a scenario works with: one peer with a directory of its own, which it can restart, and jobs against it. */
import { BenchFailure } from '../bench-failure.js';
import { type BrokerSetting, type RunningBroker, startBroker } from '../broker-process.js';
import type { Address } from '../generator/broker-under-test.js';
import type { Protocol } from '../generator/frames.js';
import type { Job, Outcome, Result } from '../generator/job.js';
import type { Peer } from '../peers/peer.js';
import { findResidentBytes } from '../process-usage.js';
import { runJob } from '../run-job.js';

/** A broker that has a million messages to write or to read may take its time; the time is what is measured. */
const RESTART_MS = 120_000;

type JobOf<Kind> = Extract<Job, { kind: Kind }>;
type ResultOf<Kind> = Extract<Result, { kind: Kind }>;
type OwnFields<Kind> = Omit<JobOf<Kind>, 'address' | 'protocol' | 'brokerPid'>;

export class TestBed {
  readonly #peer: Peer;
  readonly #setting: BrokerSetting;
  readonly #generatorPrefix: readonly string[];
  #broker: RunningBroker | undefined;

  constructor(peer: Peer, setting: BrokerSetting, generatorPrefix: readonly string[]) {
    this.#peer = peer;
    this.#setting = { ...setting, startMs: RESTART_MS };
    this.#generatorPrefix = generatorPrefix;
  }

  get directory(): string {
    return this.#setting.directory;
  }

  /** @throws BenchFailure if the broker does not run */
  get address(): Address {
    if (this.#broker === undefined) throw new BenchFailure('the broker does not run');
    return this.#broker.address;
  }

  get protocol(): Protocol {
    return this.#setting.protocol;
  }

  /** So much of `load`, which is what a fast peer takes on, as this peer takes on; at least 1. */
  shareOf(load: number): number {
    return Math.max(1, Math.round(load * (this.#peer.shareOfLoad ?? 1)));
  }

  /**
   * @param environment for the broker's process
   * @returns milliseconds from the start of the process to its first CONNACK
   */
  async start(environment?: Readonly<Record<string, string>>): Promise<number> {
    const setting = environment === undefined ? this.#setting : { ...this.#setting, environment };
    this.#broker = await startBroker(this.#peer, setting);
    return this.#broker.startedInMs;
  }

  /** Nothing comes after this: a broker that has a lot to put in order is not waited for. */
  async end(): Promise<void> {
    await this.#broker?.stop();
    this.#broker = undefined;
  }

  /** Waits until the broker has put everything in order. */
  async stop(): Promise<void> {
    await this.#broker?.stop(RESTART_MS);
    this.#broker = undefined;
  }

  async kill(): Promise<void> {
    await this.#broker?.kill();
    this.#broker = undefined;
  }

  residentBytes(): number | undefined {
    return this.#broker?.pid === undefined ? undefined : findResidentBytes(this.#broker.pid);
  }

  /** @throws BenchFailure when the job failed, with its reason */
  async run<Kind extends Job['kind']>(job: OwnFields<Kind> & { readonly kind: Kind }): Promise<ResultOf<Kind>> {
    if (this.#broker === undefined) throw new BenchFailure('the broker does not run');
    const { address, pid } = this.#broker;
    const target = { address, protocol: this.#setting.protocol, ...(pid !== undefined && { brokerPid: pid }) };
    const whole = { ...job, ...target } as unknown as Job;
    const outcome: Outcome = await runJob(whole, this.#setting.fileDescriptors, this.#generatorPrefix);
    if (outcome.kind === 'failed') throw new BenchFailure(outcome.reason);
    return outcome as ResultOf<Kind>;
  }
}
