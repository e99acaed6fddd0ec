/**
 * Splits what a socket delivers into MQTT frames and hands each to a handler as offsets into the chunk: no object and
 * no copy per frame. Only a frame that a chunk ends in is copied, until its rest arrives. The chunk is shared by all
 * sockets of the process, so a handler must not keep it.
 */
export interface FrameHandler {
  /** One frame: `start` is its first byte, `bodyStart` the byte after its fixed header, `end` the byte after it. */
  onFrame(bytes: Uint8Array, start: number, bodyStart: number, end: number): void;
  /** Every whole frame of the chunk has been handed over. */
  onChunkEnd(): void;
}

const NOTHING = new Uint8Array(0);
const LONGEST_FIXED_HEADER = 5;

export class FrameReader {
  #handler: FrameHandler;
  #carried: Uint8Array = NOTHING;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** From the next frame on, frames go to `handler`. */
  handTo(handler: FrameHandler): void {
    this.#handler = handler;
  }

  /** Takes the first `length` bytes of `chunk`, which is all that has come. */
  read(chunk: Uint8Array, length: number): void {
    this.readPart(chunk, 0, length);
    this.#handler.onChunkEnd();
  }

  /** Every part of a chunk has been read. */
  endChunk(): void {
    this.#handler.onChunkEnd();
  }

  /** Takes the bytes from `start` to `length`; more of the chunk may come. */
  readPart(chunk: Uint8Array, start: number, length: number): void {
    let offset = this.#carried.length > 0 ? this.#completeCarried(chunk, start, length) : start;
    while (offset + 1 < length) {
      // Written out for the usual one or two bytes: this line runs once per message.
      let bodyStart = offset + 2;
      let remaining = chunk[offset + 1] as number;
      if (remaining > 0x7f) {
        bodyStart = headerEnd(chunk, offset, length);
        if (bodyStart < 0) break;
        remaining = remainingLength(chunk, offset, bodyStart);
      }
      const end = bodyStart + remaining;
      if (end > length) break;
      this.#handler.onFrame(chunk, offset, bodyStart, end);
      offset = end;
    }
    // Not slice(): the chunk is a Buffer, whose slice is a view of memory that the next read overwrites.
    if (offset < length) this.#carried = new Uint8Array(chunk.subarray(offset, length));
  }

  /** Joins the carried head of a frame with the rest of that frame, and returns where in the chunk that ends. */
  #completeCarried(chunk: Uint8Array, start: number, length: number): number {
    const carried = this.#carried;
    const head = joined(carried, chunk.subarray(start, Math.min(length, start + LONGEST_FIXED_HEADER)));
    const bodyStart = headerEnd(head, 0, head.length);
    const frameBytes = bodyStart < 0 ? Number.MAX_SAFE_INTEGER : bodyStart + remainingLength(head, 0, bodyStart);
    const takenTo = Math.min(length, start + frameBytes - carried.length);
    const frame = joined(carried, chunk.subarray(start, takenTo));
    if (frame.length < frameBytes) {
      this.#carried = frame;
      return length;
    }
    this.#carried = NOTHING;
    this.#handler.onFrame(frame, 0, bodyStart, frameBytes);
    return takenTo;
  }
}

/** Where the body of the frame at `start` begins, or -1 when the fixed header is not complete yet. */
function headerEnd(bytes: Uint8Array, start: number, length: number): number {
  let at = start + 1;
  while (at < length) {
    if ((bytes[at++] as number) < 0x80) return at;
  }
  return -1;
}

function remainingLength(bytes: Uint8Array, start: number, bodyStart: number): number {
  let value = 0;
  for (let at = bodyStart - 1; at > start; at--) value = value * 128 + ((bytes[at] as number) & 0x7f);
  return value;
}

function joined(head: Uint8Array, rest: Uint8Array): Uint8Array {
  const both = new Uint8Array(head.length + rest.length);
  both.set(head);
  both.set(rest, head.length);
  return both;
}
