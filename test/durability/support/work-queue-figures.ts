/** What a broker says of its work queues below $SYS, in rounds of a second. */
import { Changes } from './changes.js';
import { SessionClient } from './session-client.js';

const ROOT = '$SYS/broker/queues/';
/** Many rounds: a queue may have much to give yet. */
const PATIENCE_MS = 60_000;

export class WorkQueueFigures {
  readonly #values: ReadonlyMap<string, number>;

  private constructor(values: ReadonlyMap<string, number>) {
    this.#values = values;
  }

  /** @returns the first ones that are right, or the last ones if none ever are */
  static async read(port: number, isRight: (figures: WorkQueueFigures) => boolean): Promise<WorkQueueFigures> {
    const values = new Map<string, number>();
    const changes = new Changes();
    const figures = new WorkQueueFigures(values);
    const client = new SessionClient(
      { clientId: 'figures', version: 5, sessionExpirySeconds: 0 },
      {
        onDelivery: ({ topic, payload }) => values.set(topic.slice(ROOT.length), Number(payload.toString())),
        onChange: () => changes.notify(),
      },
    );
    await client.connect(port);
    await client.subscribe(`${ROOT}#`, 0);
    await changes
      .until(
        () => values.size > 0 && isRight(figures),
        () => 'figures',
        PATIENCE_MS,
      )
      .catch(() => {});
    client.disconnect();
    await changes.until(
      () => client.isClosed,
      () => 'the end of a connection',
    );
    return figures;
  }

  /** Over all queues. */
  get missing(): number {
    return this.#sum((name) => name.endsWith('/missing'), Math.abs);
  }

  /** Messages in all queues. */
  get total(): number {
    return this.#sum((name) => /\/(ready|in-flight|delayed)$/.test(name));
  }

  /** Messages in a queue. */
  left(queue: string): number {
    return this.#sum((name) => name.startsWith(`${queue}/`) && /\/(ready|in-flight|delayed)$/.test(name));
  }

  toString(): string {
    return [...this.#values].map(([name, value]) => `${name}=${value}`).join(' ');
  }

  #sum(isMeant: (name: string) => boolean, measure: (value: number) => number = (value) => value): number {
    let sum = 0;
    for (const [name, value] of this.#values) if (isMeant(name)) sum += measure(value);
    return sum;
  }
}
