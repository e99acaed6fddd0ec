/** One publisher of an open loop that sends when it is told to, a write for each message, however the broker keeps up. */
import type { Client } from './client.js';
import type { FrameHandler } from './frame-reader.js';
import { PUBACK } from './frames.js';
import type { OpenLoopSender } from './pace.js';
import { PublishBatch, type PublishTemplate } from './publish-batch.js';
import type { Sender } from './subscriber.js';

export class Device implements FrameHandler, OpenLoopSender, Sender {
  readonly #client: Client;
  readonly #single: PublishBatch;
  readonly #isAcknowledged: boolean;
  #sent = 0;
  #acknowledged = 0;

  constructor(client: Client, template: PublishTemplate) {
    this.#client = client;
    this.#single = new PublishBatch(template, 1);
    this.#isAcknowledged = template.qos > 0;
    client.handTo(this);
  }

  get sent(): number {
    return this.#sent;
  }

  get unacknowledged(): number {
    return this.#isAcknowledged ? this.#sent - this.#acknowledged : 0;
  }

  offerMessage(): boolean {
    // A copy: nothing here waits until the socket has taken the bytes.
    const bytes = Buffer.from(this.#single.stamp(this.#sent));
    this.#sent++;
    this.#client.write(bytes);
    return true;
  }

  onDelivered(): void {}

  onFrame(bytes: Uint8Array, start: number): void {
    if ((bytes[start] as number) >> 4 === PUBACK) this.#acknowledged++;
  }

  onChunkEnd(): void {}
}
