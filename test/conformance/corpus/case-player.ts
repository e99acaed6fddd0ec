/**
 * Plays one case against a broker of its own. What a step sends has been taken in by the broker before the next step
 * begins, so several clients and the clock keep to the order of the case.
 */
import { CLOSE_REASONS } from '../../../src/core/close-reason.js';
import { TestBroker } from '../../support/test-broker.js';
import { ByteLink, ByteMismatch } from './byte-link.js';
import type { ByteCase } from './case-parser.js';
import { describeClaims } from './claim.js';
import type { Step } from './step.js';

/** Longest wait for the broker to take in what it was sent, or to notice a close. */
const PATIENCE_MS = 3000;

/** @throws ByteMismatch with the places of the case and of the step, and with the statements that the case is about */
export async function playCase(played: ByteCase): Promise<void> {
  const test = await TestBroker.start({ limits: played.limits });
  const player = new CasePlayer(test);
  let place = '';
  try {
    for (const step of played.steps) {
      place = `step ${step.place}`;
      await player.play(step);
    }
    place = 'after the last step';
    await player.expectSilenceEverywhere();
  } catch (error) {
    if (!(error instanceof ByteMismatch)) throw error;
    throw new ByteMismatch(
      `${played.place}, ${place}: ${error.message}\n${describeClaims(played.version, played.claims)}`,
    );
  } finally {
    player.destroyAll();
  }
}

class CasePlayer {
  readonly #test: TestBroker;
  readonly #links = new Map<string, ByteLink>();
  #bytesSent = 0;

  constructor(test: TestBroker) {
    this.#test = test;
  }

  async play(step: Step): Promise<void> {
    if (step.kind === 'advance') {
      this.#test.clock.advance(step.ms);
      return;
    }
    if (step.kind === 'open') {
      await this.#open(step.client);
      return;
    }
    const link = this.#links.get(step.client) ?? (await this.#open(step.client));
    switch (step.kind) {
      case 'send':
        return this.#send(link, step.bytes);
      case 'expect':
        return link.expect(step.patterns);
      case 'close':
        return link.expectEnd();
      case 'silence':
        return this.#expectSilence(link);
      case 'drop':
        return this.#untilClosed(() => link.destroy());
      case 'end':
        return this.#untilClosed(() => link.end());
    }
  }

  /** What came and was not expected by any step is wrong too. */
  async expectSilenceEverywhere(): Promise<void> {
    for (const [client, link] of this.#links) {
      if (!link.isConnected) continue;
      try {
        await this.#expectSilence(link);
      } catch (error) {
        if (error instanceof ByteMismatch) throw new ByteMismatch(`client ${client}: ${error.message}`);
        throw error;
      }
    }
  }

  destroyAll(): void {
    for (const link of this.#links.values()) link.destroy();
  }

  async #open(client: string): Promise<ByteLink> {
    if (this.#links.get(client)?.isEnded === false) throw new ByteMismatch(`client ${client} is connected already`);
    const { socketsAccepted } = this.#metrics;
    const link = await ByteLink.open(this.#test.tcpPort);
    this.#links.set(client, link);
    await until(() => this.#metrics.socketsAccepted > socketsAccepted, 'the broker did not accept the connection');
    return link;
  }

  async #send(link: ByteLink, bytes: Buffer): Promise<void> {
    link.send(bytes);
    this.#bytesSent += bytes.length;
    const isTaken = () => this.#metrics.bytesReceived >= this.#bytesSent;
    await until(() => isTaken() || link.isEnded, 'the broker did not read what it was sent');
    // What is sent to a connection that the broker has closed is not counted.
    this.#bytesSent = this.#metrics.bytesReceived;
  }

  async #expectSilence(link: ByteLink): Promise<void> {
    await link.expectSilence();
    this.#bytesSent = this.#metrics.bytesReceived;
  }

  async #untilClosed(close: () => void): Promise<void> {
    const closes = this.#closes;
    close();
    await until(() => this.#closes > closes, 'the broker did not notice that the connection is gone');
  }

  get #metrics() {
    return this.#test.broker.metrics;
  }

  get #closes(): number {
    return CLOSE_REASONS.reduce((sum, reason) => sum + this.#metrics.closesOf(reason), 0);
  }
}

/** The broker lives in this process: its counters tell when it has done something. */
async function until(isDone: () => boolean, otherwise: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!isDone()) {
    if (performance.now() > deadline) throw new ByteMismatch(otherwise);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
