/** A ByteChannel and a clock in the hands of a test: a connection without a socket. */
import type { CancelTimer, Clock } from '../../../src/core/clock.js';
import type {
  ByteChannel,
  ChannelCloseReason,
  ChannelHandler,
  ListenerInfo,
} from '../../../src/transport/byte-channel.js';

export class FakeChannel implements ByteChannel {
  readonly listener: ListenerInfo = { name: 'fake', kind: 'tcp', isLoopback: true, isEncrypted: false };
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly clientCertificate = null;
  unsentBytes = 0;
  mustWait = false;
  isEnded = false;
  isPaused = false;
  writtenBytes = 0;
  readonly written: Buffer[] = [];
  /** Keep what is written. */
  keeps = false;
  #handler: ChannelHandler | null = null;

  setHandler(handler: ChannelHandler): void {
    this.#handler = handler;
  }

  write(bytes: Buffer): void {
    this.writtenBytes += bytes.length;
    if (this.keeps) this.written.push(Buffer.from(bytes));
  }

  cork(): void {}

  uncork(): void {}

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.#handler = null;
    this.isEnded = true;
  }

  destroy(): void {
    this.end();
  }

  /** Bytes from the peer. */
  receive(chunk: Buffer): void {
    this.#handler?.onBytes(chunk);
  }

  drain(): void {
    this.mustWait = false;
    this.#handler?.onDrain();
  }

  /** The peer is gone. */
  lose(reason: ChannelCloseReason = 'ended'): void {
    const handler = this.#handler;
    this.end();
    handler?.onClose(reason);
  }
}

export class ManualClock implements Clock {
  #nowMs = 1_000_000;
  #timers: { dueAtMs: number; callback: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  elapsedMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    const timer = { dueAtMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Turns the hands, and calls what becomes due on the way, in order. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.dueAtMs <= endMs).sort((a, b) => a.dueAtMs - b.dueAtMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#nowMs = Math.max(this.#nowMs, due.dueAtMs);
      due.callback();
    }
    this.#nowMs = endMs;
  }
}
