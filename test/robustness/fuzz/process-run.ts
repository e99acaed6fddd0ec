/**
 * The long form: the built broker as a process of its own, its storage on disk, many connections at once, and a witness
 * beside them. Goes on after a finding, unless the broker is gone, so that one run tells of several.
 */
import { randomBytes } from 'node:crypto';
import { BrokerUnderTest } from './broker-under-test.js';
import { ClientClaims } from './client-claims.js';
import { DurableWitness } from './durable-witness.js';
import { Finding } from './finding.js';
import type { FuzzCase, FuzzInput } from './fuzz-input.js';
import type { InputMaker } from './input-maker.js';
import { MemoryTrend } from './memory-trend.js';
import { SocketPlayer } from './socket-player.js';
import { Sweeper } from './sweeper.js';
import { awaitFigures } from './sys-figures.js';
import { Turnstile } from './turnstile.js';

export interface RunSettings {
  readonly main: string;
  readonly dataDirectory: string;
  readonly coverageDirectory?: string | undefined;
  readonly maker: InputMaker;
  /** Inputs to play; the run ends with them, or with its time. */
  readonly maximumInputs: number;
  readonly maximumMs: number;
  readonly concurrency: number;
}

/** A finding, with the inputs that can have caused it: the last one alone, if that is known. */
export interface FoundCase {
  readonly finding: Finding;
  readonly fuzzCase: FuzzCase;
}

export interface RunReport {
  readonly inputs: number;
  readonly connections: number;
  readonly courses: ReadonlyMap<string, number>;
  readonly seconds: number;
  readonly found: readonly FoundCase[];
  /** What is held, after a collection and between inputs. */
  readonly used: MemoryTrend;
  /** The memory of the process, at the same moments and in between. */
  readonly resident: MemoryTrend;
  readonly witnessMessages: number;
  readonly witnessLongestMs: number;
}

const SAMPLE_MS = 1_000;
const SWEEP_MS = 20_000;
/** Inputs of which one may have caused what shows only later. */
const RECENT_INPUTS = 200;
const MAXIMUM_FINDINGS = 10;
/** A run of so many minutes shows whether memory grows; a shorter one shows how it settles. */
const TREND_MINUTES = 10;
/** MiB a minute of what is held: what code that V8 compiles late, and buffers on their way, make of a flat line. */
const MAXIMUM_USED_SLOPE = 0.2;
/** MiB a minute of the process, for what is held outside of V8; when V8 collects is its own matter. */
const MAXIMUM_RESIDENT_SLOPE = 3;

export class ProcessRun {
  readonly #settings: RunSettings;
  readonly #claims = new ClientClaims();
  readonly #found: FoundCase[] = [];
  readonly #recent: FuzzInput[] = [];
  readonly #used = new MemoryTrend();
  readonly #resident = new MemoryTrend();
  readonly #turnstile = new Turnstile();
  readonly #courses = new Map<string, number>();
  readonly #startedAt = performance.now();
  #inputs = 0;
  #errorsSeen = 0;
  #connections = 0;

  constructor(settings: RunSettings) {
    this.#settings = settings;
  }

  async run(): Promise<RunReport> {
    const broker = await BrokerUnderTest.start({ ...this.#settings, isMeasured: true });
    const name = `witness-${randomBytes(6).toString('hex')}`;
    const witness = await DurableWitness.start(broker.ports.tcp, name);
    const sweeper = new Sweeper(broker.ports.tcp, this.#claims);
    try {
      await this.#playAll(broker, sweeper, witness, name);
      const seconds = (performance.now() - this.#startedAt) / 1000;
      if (!broker.hasExited) await this.#checkAftermath(broker, sweeper, witness, name);
      return this.#report(witness, seconds);
    } finally {
      await broker.kill();
    }
  }

  #report(witness: DurableWitness, seconds: number): RunReport {
    return {
      inputs: this.#inputs,
      connections: this.#connections,
      courses: this.#courses,
      seconds,
      found: this.#found,
      used: this.#used,
      resident: this.#resident,
      witnessMessages: witness.received,
      witnessLongestMs: witness.longestMs,
    };
  }

  async #playAll(broker: BrokerUnderTest, sweeper: Sweeper, witness: DurableWitness, name: string): Promise<void> {
    const { concurrency, maximumInputs, maximumMs } = this.#settings;
    const isOver = () =>
      broker.hasExited ||
      this.#inputs >= maximumInputs ||
      this.#found.length >= MAXIMUM_FINDINGS ||
      performance.now() - this.#startedAt > maximumMs;
    const watch = setInterval(() => this.#watch(broker, witness), SAMPLE_MS);
    const player = async (): Promise<void> => {
      while (!isOver()) await this.#turnstile.beside(() => this.#playNext(broker, sweeper));
    };
    const sweeping = async (): Promise<void> => {
      for (let sweptAt = performance.now(); !isOver(); ) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        if (performance.now() - sweptAt < SWEEP_MS) continue;
        await sweeper.clearRetained(name).catch(() => {});
        await this.#turnstile.alone(() => this.#measure(broker));
        sweptAt = performance.now();
      }
    };
    await Promise.all([...Array.from({ length: concurrency }, player), sweeping()]);
    clearInterval(watch);
    this.#watch(broker, witness);
  }

  async #playNext(broker: BrokerUnderTest, sweeper: Sweeper): Promise<void> {
    const input = this.#settings.maker.make(this.#inputs++);
    this.#recent.push(input);
    if (this.#recent.length > RECENT_INPUTS) this.#recent.shift();
    const played = await Promise.all(
      input.scripts.map((script) => SocketPlayer.play(script, broker.ports, this.#claims)),
    );
    for (const one of played) {
      this.#connections++;
      const { course } = one.expectation;
      this.#courses.set(course, (this.#courses.get(course) ?? 0) + 1);
      if (broker.hasExited) return;
      if (one.finding !== undefined) this.#note(one.finding, [input]);
      const orphan = await sweeper.after(one);
      if (orphan !== undefined) this.#note(orphan, [input]);
    }
  }

  async #measure(broker: BrokerUnderTest): Promise<void> {
    const usedBytes = await broker.usedBytes();
    if (usedBytes !== undefined) this.#used.add(performance.now() - this.#startedAt, usedBytes);
    else if (!broker.hasExited) this.#note(new Finding('memory', 'the broker does not tell what it holds'));
  }

  #watch(broker: BrokerUnderTest, witness: DurableWitness): void {
    this.#resident.add(performance.now() - this.#startedAt, broker.residentBytes());
    if (broker.hasExited) this.#note(new Finding('crash', `the broker is gone\n${broker.errors.join('\n')}`));
    for (const line of broker.errors.slice(this.#errorsSeen)) this.#note(new Finding('log', line));
    this.#errorsSeen = broker.errors.length;
    if (witness.finding !== undefined) this.#note(witness.finding);
  }

  /** @param fuzzCase what has caused it; if that is not known, whatever came last */
  #note(finding: Finding, fuzzCase: FuzzCase = [...this.#recent]): void {
    // The same but for times and identifiers.
    const kindOf = ({ message }: Finding): string => message.slice(0, 400).replaceAll(/\d+/g, '');
    const isKnown = this.#found.some((known) => kindOf(known.finding) === kindOf(finding));
    if (!isKnown && this.#found.length < MAXIMUM_FINDINGS) this.#found.push({ finding, fuzzCase });
  }

  /** Nothing must be left of the clients, the process must end well, and what was kept must be there again. */
  async #checkAftermath(
    broker: BrokerUnderTest,
    sweeper: Sweeper,
    witness: DurableWitness,
    name: string,
  ): Promise<void> {
    this.#expect(await witness.stop());
    await sweeper.endSessions();
    await sweeper.clearRetained(name);
    const differing = await awaitFigures(broker.ports.tcp, {
      'clients/connected': 1,
      'clients/total': 1 + DurableWitness.keptSessions,
      'subscriptions/count': 1 + DurableWitness.keptSessions,
      'shared_subscriptions/count': 0,
      'accounting/missing': 0,
    });
    if (differing.length > 0) this.#note(new Finding('leftover', differing.join(', ')));
    this.#checkMemory();
    const { code, signal } = await broker.stop();
    if (code !== 0) this.#note(new Finding('crash', `SIGTERM ended the broker with ${signal ?? code}`));
    await this.#checkRestart(witness);
  }

  #checkMemory(): void {
    if ((performance.now() - this.#startedAt) / 60_000 < TREND_MINUTES) return;
    const [used, resident] = [this.#used.slope, this.#resident.slope];
    if (used > MAXIMUM_USED_SLOPE)
      this.#note(new Finding('memory', `${used.toFixed(2)} MiB more are held each minute`));
    if (resident > MAXIMUM_RESIDENT_SLOPE) {
      this.#note(new Finding('memory', `the process grows by ${resident.toFixed(2)} MiB a minute`));
    }
  }

  async #checkRestart(witness: DurableWitness): Promise<void> {
    const broker = await BrokerUnderTest.start(this.#settings).catch((error: Error) => {
      this.#note(new Finding('restart', error.message));
      return undefined;
    });
    if (broker === undefined) return;
    this.#expect(await witness.checkKept(broker.ports.tcp));
    const { code } = await broker.stop();
    if (code !== 0 || broker.errors.length > 0) {
      this.#note(new Finding('restart', `the restarted broker ended with ${code}: ${broker.errors.join('\n')}`));
    }
  }

  #expect(finding: Finding | undefined): void {
    if (finding !== undefined) this.#note(finding);
  }
}
