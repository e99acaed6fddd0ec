/** The pieces in which the bytes of a script arrive. */
import { Random } from '../support/random-source.js';
import { bytesOf, type Script } from './fuzz-input.js';

const PIECES = [1, 2, 3, 10, 100, 10_000];
/** Byte by byte up to here; then in one piece, or a large payload would take minutes. */
const SINGLE_BYTES = 400;

export function chunksOf(script: Script): Buffer[] {
  const bytes = bytesOf(script);
  switch (script.delivery.chunking) {
    case 'whole':
      return bytes.length === 0 ? [] : [bytes];
    case 'packets':
      return script.packets.filter(({ length }) => length > 0);
    case 'bytes': {
      const single = Array.from(bytes.subarray(0, SINGLE_BYTES), (byte) => Buffer.from([byte]));
      return bytes.length > SINGLE_BYTES ? [...single, bytes.subarray(SINGLE_BYTES)] : single;
    }
    case 'pieces': {
      // The same for the same bytes, so that a replay cuts where the first run did.
      const random = new Random(bytes.length);
      const chunks: Buffer[] = [];
      for (let offset = 0; offset < bytes.length; ) {
        const length = random.pick(PIECES);
        chunks.push(bytes.subarray(offset, offset + length));
        offset += length;
      }
      return chunks;
    }
  }
}
