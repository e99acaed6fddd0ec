import { describe, expect, it } from 'vitest';
import { WakeUpPacer } from '../../../src/transport/wake-up-pacer.js';
import { ManualClock } from '../../support/manual-clock.js';

const INTERVAL_MS = 0.5;
const MESSAGE_BYTES = 100;
const MESSAGE_COST_MS = 0.01;
const TURN_COST_MS = 0.02;

/** An event loop whose turns take what has come, and which waits for the next message when nothing has. */
class Loop {
  readonly clock = new ManualClock(0);
  readonly rests: number[] = [];
  readonly pacer: WakeUpPacer;
  isBusy = false;
  bytesSent = 0;
  packetsReceived = 0;
  processorMs = 0;
  turnCostMs = TURN_COST_MS;
  turns = 0;

  constructor() {
    const work = { isBusy: () => this.isBusy, packetsReceived: () => this.packetsReceived };
    this.pacer = new WakeUpPacer(INTERVAL_MS, this.clock, work, {
      rest: (ms) => {
        this.rests.push(ms);
        this.clock.advance(ms);
      },
      processorMs: () => this.processorMs,
    });
  }

  /** Messages come at even distances, whatever becomes of those before. */
  runOpen(perSecond: number, forMs: number): void {
    const endMs = this.clock.now() + forMs;
    let nextMs = this.clock.now();
    while (nextMs < endMs) {
      if (nextMs > this.clock.now()) this.clock.advance(nextMs - this.clock.now());
      const come = Math.floor(((this.clock.now() - nextMs) * perSecond) / 1000) + 1;
      nextMs += (come * 1000) / perSecond;
      this.#turn(come);
    }
  }

  /** Each client sends its next message when it has an answer to the one before. */
  runLockStep(clients: number, forMs: number, answerMs = 0.05): void {
    const endMs = this.clock.now() + forMs;
    while (this.clock.now() < endMs) {
      this.clock.advance(answerMs);
      this.#turn(clients);
    }
  }

  /** More connections wait than are accepted, one in each turn. */
  runAccepting(forMs: number): void {
    const endMs = this.clock.now() + forMs;
    while (this.clock.now() < endMs) {
      this.pacer.skipRest();
      this.#turn(1);
    }
  }

  /** One client sends its next message when it has an answer of a few bytes, beside others whose messages come at even distances. */
  runMixed(perSecond: number, forMs: number): number {
    const endMs = this.clock.now() + forMs;
    let nextMs = this.clock.now();
    let answered = 0;
    while (this.clock.now() < endMs) {
      this.clock.advance(0.05);
      const come = Math.max(0, Math.floor(((this.clock.now() - nextMs) * perSecond) / 1000));
      nextMs += (come * 1000) / perSecond;
      this.bytesSent += 4;
      this.packetsReceived++;
      answered++;
      this.#turn(come);
    }
    return answered;
  }

  #turn(messages: number): void {
    const costMs = this.turnCostMs + messages * MESSAGE_COST_MS;
    this.processorMs += costMs;
    this.clock.advance(costMs);
    this.turns++;
    this.bytesSent += messages * MESSAGE_BYTES;
    this.packetsReceived += messages;
    this.pacer.endTurn(this.bytesSent);
  }
}

describe('WakeUpPacer', () => {
  it('takes more messages in a turn when many come one by one', () => {
    const loop = new Loop();
    loop.runOpen(10_000, 1000);
    expect(loop.pacer.rests).toBe(loop.rests.length);
    // After 100 ms, in which there is a turn for each, two in a millisecond.
    expect(loop.turns).toBeGreaterThan(2500);
    expect(loop.turns).toBeLessThan(3200);
  });

  it('never rests for longer than the interval', () => {
    const loop = new Loop();
    loop.runOpen(20_000, 500);
    expect(Math.max(...loop.rests)).toBeLessThanOrEqual(INTERVAL_MS);
  });

  it('leaves a loop alone that wakes seldom', () => {
    const loop = new Loop();
    loop.runOpen(2500, 3000);
    expect(loop.rests).toEqual([]);
  });

  it('leaves a loop alone whose turns are long anyway', () => {
    const loop = new Loop();
    loop.runLockStep(100, 3000);
    expect(loop.turns).toBeGreaterThan(2000);
    expect(loop.rests).toEqual([]);
  });

  it('does not rest after a turn that has taken as long as the interval', () => {
    const loop = new Loop();
    loop.runOpen(10_000, 500);
    const before = loop.rests.length;
    loop.runOpen(98_000, 50);
    expect(loop.turns).toBeGreaterThan(1000);
    expect(loop.rests.length - before).toBeLessThan(20);
  });

  it('handles what comes after a pause at once', () => {
    const loop = new Loop();
    loop.runOpen(10_000, 500);
    const before = loop.rests.length;
    for (let n = 0; n < 20; n++) {
      loop.clock.advance(INTERVAL_MS);
      loop.runOpen(1, 0.01);
    }
    expect(loop.rests.length).toBe(before);
  });

  it('ends its rests when clients wait for answers, and tries again at longer and longer intervals', () => {
    const loop = new Loop();
    loop.runLockStep(1, 1000);
    const first = loop.rests.length;
    expect(first).toBeGreaterThan(0);
    expect(first * INTERVAL_MS).toBeLessThan(220);
    loop.runLockStep(1, 60_000);
    // Trials of 200 ms after 1, 2, 4, 8, 16, 16 and 16 seconds.
    expect(loop.rests.length / first).toBeGreaterThan(5);
    expect(loop.rests.length / first).toBeLessThan(9);
  });

  it('ends its rests when one client waits for answers of few bytes among the messages of many', () => {
    const alone = new Loop();
    alone.isBusy = true;
    const unrested = alone.runMixed(5000, 10_000);
    const loop = new Loop();
    expect(loop.runMixed(5000, 10_000)).toBeGreaterThan(0.85 * unrested);
    expect(loop.rests.length).toBeGreaterThan(0);
  });

  it('does not rest at the end of a turn if the next one is wanted', () => {
    const loop = new Loop();
    loop.runOpen(10_000, 1000);
    const before = loop.rests.length;
    expect(before).toBeGreaterThan(0);
    loop.runAccepting(50);
    expect(loop.rests.length).toBe(before);
    loop.runOpen(10_000, 50);
    expect(loop.rests.length).toBeGreaterThan(before + 50);
  });

  it('ends its rests when a message is as dear with them', () => {
    const loop = new Loop();
    loop.turnCostMs = 0.0005;
    loop.runOpen(10_000, 1000);
    const first = loop.rests.length;
    expect(first).toBeGreaterThan(0);
    expect(first * INTERVAL_MS).toBeLessThan(220);
  });

  it('goes on after one window in which the machine stood still', () => {
    const loop = new Loop();
    loop.runOpen(10_000, 1000);
    const before = loop.rests.length;
    loop.runOpen(2000, 100);
    loop.runOpen(10_000, 1000);
    expect(loop.rests.length - before).toBeGreaterThan(1500);
  });

  it('notices clients that wait among rests that nobody minded', () => {
    const loop = new Loop();
    loop.runOpen(10_000, 2000);
    expect(loop.rests.length).toBeGreaterThan(2000);
    loop.runLockStep(1, 6000);
    const before = loop.turns;
    loop.runLockStep(1, 400);
    expect(loop.turns - before).toBeGreaterThan(400 / 0.1);
  });

  it('does not rest while something is under way', () => {
    const loop = new Loop();
    loop.isBusy = true;
    loop.runOpen(10_000, 5000);
    expect(loop.rests).toEqual([]);
    loop.isBusy = false;
    loop.runOpen(10_000, 5000);
    expect(loop.rests.length).toBeGreaterThan(1000);
  });
});
