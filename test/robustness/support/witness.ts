/** Two clients that exchange messages while others attack: how long each took, and whether any was lost. */
import { publish, readPublish, subscribe } from './packets.js';
import { RawClient } from './raw-client.js';

export class Witness {
  readonly #publisher: RawClient;
  readonly #subscriber: RawClient;
  readonly #timer: NodeJS.Timeout;
  readonly #sentAt = new Map<number, number>();
  #sent = 0;
  received = 0;
  longestMs = 0;

  private constructor(publisher: RawClient, subscriber: RawClient) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    subscriber.onPacket = (packet) => {
      if (packet.type === 3) this.#onMessage(Number(readPublish(packet).payload));
    };
    this.#timer = setInterval(() => this.#send(), 10);
  }

  static async start(port: number): Promise<Witness> {
    const subscriber = await RawClient.connect(port);
    subscriber.send(subscribe(1, ['witness/beat']));
    await subscriber.waitFor(9);
    return new Witness(await RawClient.connect(port), subscriber);
  }

  /** Stops and resolves when everything that was sent has come. @throws if it does not come */
  async stop(timeoutMs = 5_000): Promise<void> {
    clearInterval(this.#timer);
    await this.#subscriber.until(() => this.received === this.#sent, timeoutMs);
    this.#publisher.destroy();
    this.#subscriber.destroy();
  }

  #send(): void {
    const number = this.#sent++;
    this.#sentAt.set(number, performance.now());
    this.#publisher.send(publish({ topic: 'witness/beat', payload: String(number) }));
  }

  #onMessage(number: number): void {
    const sentAt = this.#sentAt.get(number);
    if (sentAt === undefined) return;
    this.#sentAt.delete(number);
    this.received++;
    this.longestMs = Math.max(this.longestMs, performance.now() - sentAt);
  }
}
