/** A ByteChannel without a socket. While it is slow it holds on to what it is given and reads it only when drained. */
import type { ByteChannel, ChannelHandler, ListenerInfo } from '../../src/transport/byte-channel.js';

export class FakeChannel implements ByteChannel {
  readonly listener: ListenerInfo = { name: 'fake', kind: 'tcp', isLoopback: true, isEncrypted: false };
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly clientCertificate = null;
  isSlow = false;
  mustWait = false;
  /** What the peer has got. */
  readonly received: Buffer[] = [];
  writes = 0;
  corks = 0;
  #unsent: Buffer[] = [];
  #unsentBytes = 0;

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  get receivedBytes(): Buffer {
    return Buffer.concat(this.received);
  }

  write(bytes: Buffer): void {
    this.writes++;
    if (!this.isSlow) {
      this.received.push(Buffer.from(bytes));
      return;
    }
    this.#unsent.push(bytes);
    this.#unsentBytes += bytes.length;
  }

  /** Everything that was given reaches the peer, as it is now. */
  drain(): void {
    this.received.push(...this.#unsent.map((bytes) => Buffer.from(bytes)));
    this.#unsent = [];
    this.#unsentBytes = 0;
  }

  cork(): void {
    this.corks++;
  }

  uncork(): void {
    this.corks--;
  }

  /** Takes what the peer does. */
  handler: ChannelHandler | null = null;

  setHandler(handler: ChannelHandler): void {
    this.handler = handler;
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}
