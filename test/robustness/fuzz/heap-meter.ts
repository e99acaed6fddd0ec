/**
 * What a Node process holds on to, asked by way of its inspector: V8 collects when it sees fit, so that what is resident
 * says little about what is kept. It is connected for the time of a question only; the process could not end otherwise.
 */
import { WebSocket } from 'ws';

/** For an answer; the machine is shared. */
const PATIENCE_MS = 15_000;
/**
 * The first one may only end a marking that began when more was in use, the second finds what is dead, and the third begins when
 * what the second has found has been given back: on a machine that is busy that takes a while.
 */
const COLLECTIONS = 3;

interface Answer {
  readonly id: number;
  readonly result?: { readonly result?: { readonly value?: unknown } };
}

export class HeapMeter {
  readonly #url: string;

  /** @param url as the process has told it on standard error */
  constructor(url: string) {
    this.#url = url;
  }

  /** @returns bytes that are in use after a collection, buffers outside of the heap included; undefined without an answer */
  async usedBytes(): Promise<number | undefined> {
    const webSocket = new WebSocket(this.#url, { perMessageDeflate: false });
    try {
      return await this.#ask(webSocket);
    } finally {
      webSocket.terminate();
    }
  }

  #ask(webSocket: WebSocket): Promise<number | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
      webSocket.on('open', () => {
        for (let id = 1; id <= COLLECTIONS; id++) send(webSocket, { id, method: 'HeapProfiler.collectGarbage' });
        const expression = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())';
        send(webSocket, { id: COLLECTIONS + 1, method: 'Runtime.evaluate', params: { expression } });
      });
      webSocket.on('message', (data: Buffer) => {
        const { id, result } = JSON.parse(data.toString()) as Answer;
        const value = result?.result?.value;
        if (id === COLLECTIONS + 1) resolve(typeof value === 'number' ? value : undefined);
      });
      webSocket.on('error', () => resolve(undefined));
      webSocket.on('close', () => {
        clearTimeout(timer);
        resolve(undefined);
      });
    });
  }
}

function send(webSocket: WebSocket, message: unknown): void {
  webSocket.send(JSON.stringify(message));
}
