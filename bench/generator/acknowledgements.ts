/**
 * Collects the acknowledgements that one chunk calls for and writes them at once. The scratch space is shared by all
 * connections: it is filled and emptied within one chunk of one of them.
 */
import type { Client } from './client.js';

const FRAME_BYTES = 4;
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

export class Acknowledgements {
  readonly #client: Client;
  #bytes = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  add(header: number, packetIdHigh: number, packetIdLow: number): void {
    let at = this.#bytes;
    scratch[at++] = header;
    scratch[at++] = 2;
    scratch[at++] = packetIdHigh;
    scratch[at++] = packetIdLow;
    this.#bytes = at;
    if (at + FRAME_BYTES > scratch.length) this.flush();
  }

  flush(): void {
    if (this.#bytes === 0) return;
    // A copy, since the socket may hold on to it after the scratch space has been used again.
    this.#client.write(Buffer.from(scratch.subarray(0, this.#bytes)));
    this.#bytes = 0;
  }
}
