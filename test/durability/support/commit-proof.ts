/**
 * Judges a trace: was every acknowledgement sent after the disk had confirmed what it acknowledges? The trace alone is
 * the witness: messages and acknowledgements are taken from the bytes on the sockets, stored data from the bytes written
 * to files, and the disk's word from fsync and fdatasync.
 *
 *   read(socket) PUBLISH #7 "key"  …  write(file) "…key…"  …  fdatasync(file) ──▶  write(socket) PUBACK #7
 */
import { isRead, isSync, type SystemCall } from './system-call-trace.js';

/** MQTT packet types. */
export const PacketType = { Publish: 3, Puback: 4, Pubrec: 5, Pubrel: 6, Pubcomp: 7, Subscribe: 8, Suback: 9 } as const;

/** A packet on a socket, and the call that carried its first byte (sent) or its last (received). */
export interface TracedPacket {
  readonly type: number;
  readonly packetId: number;
  readonly frame: Buffer;
  readonly call: SystemCall;
}

export interface AnsweredPacket {
  readonly request: TracedPacket;
  readonly answer: TracedPacket;
}

/** Bytes of one file or one direction of one socket, in order, with the calls that carried them. */
class TracedStream {
  readonly calls: SystemCall[] = [];
  #bytes: Buffer | undefined;

  get bytes(): Buffer {
    this.#bytes ??= Buffer.concat(this.calls.map(({ data }) => data));
    return this.#bytes;
  }

  callAt(offset: number): SystemCall {
    let end = 0;
    for (const call of this.calls) {
      end += call.data.length;
      if (offset < end) return call;
    }
    throw new Error(`no byte ${offset}`);
  }
}

export class CommitProof {
  readonly #files = new Map<string, TracedStream>();
  readonly #syncs = new Map<string, SystemCall[]>();
  readonly #received = new Map<string, TracedStream>();
  readonly #sent = new Map<string, TracedStream>();

  constructor(calls: readonly SystemCall[]) {
    for (const call of calls) {
      // Room for later (docs/decisions/0031): nothing that a client has sent.
      if (isZero(call)) continue;
      if (isSync(call)) ensure(this.#syncs, call.target, () => []).push(call);
      else {
        const streams = !call.target.startsWith('TCP:') ? this.#files : isRead(call) ? this.#received : this.#sent;
        if (streams !== this.#files || !isRead(call)) ensure(streams, call.target, newStream).calls.push(call);
      }
    }
  }

  get syncCount(): number {
    return [...this.#syncs.values()].reduce((total, { length }) => total + length, 0);
  }

  /** Every packet of type `request` from clients, with the packet of type `answer` that went back for its identifier. */
  answered(request: number, answer: number): AnsweredPacket[] {
    return this.#paired(this.#received, request, this.#sent, answer);
  }

  /**
   * The line at which the disk had confirmed a piece of data, whichever file it stands in; undefined if never. A piece
   * is given in several forms, any of which will do.
   */
  confirmedAt(pieces: readonly Buffer[]): number | undefined {
    const lines = [...this.#files].flatMap(([path, stream]) => {
      const found = pieces.map((piece) => ({ piece, at: stream.bytes.indexOf(piece) })).filter(({ at }) => at !== -1);
      return found.map(({ piece, at }) => this.#syncedAfter(path, stream.callAt(at + piece.length - 1)));
    });
    return lowest(lines);
  }

  /** The line at which the disk had confirmed anything that was written to a file after this line. */
  confirmedSince(line: number): number | undefined {
    const lines = [...this.#files].map(([path, { calls }]) => {
      const next = calls.find(({ began }) => began > line);
      return next === undefined ? undefined : this.#syncedAfter(path, next);
    });
    return lowest(lines);
  }

  #syncedAfter(path: string, write: SystemCall): number | undefined {
    return lowest((this.#syncs.get(path) ?? []).filter(({ began }) => began > write.ended).map(({ ended }) => ended));
  }

  #paired(
    requests: ReadonlyMap<string, TracedStream>,
    request: number,
    answers: ReadonlyMap<string, TracedStream>,
    answer: number,
  ): AnsweredPacket[] {
    return [...requests].flatMap(([socket, stream]) => {
      const sent = packetsOf(answers.get(socket), 'first').filter(({ type }) => type === answer);
      const pairs: AnsweredPacket[] = [];
      for (const asked of packetsOf(stream, 'last').filter(({ type }) => type === request)) {
        const at = sent.findIndex(({ packetId, call }) => packetId === asked.packetId && call.began > asked.call.began);
        const [found] = at === -1 ? [] : sent.splice(at, 1);
        if (found !== undefined) pairs.push({ request: asked, answer: found });
      }
      return pairs;
    });
  }
}

function isZero({ data }: SystemCall): boolean {
  return data.length > 0 && data.every((byte) => byte === 0);
}

function newStream(): TracedStream {
  return new TracedStream();
}

function packetsOf(stream: TracedStream | undefined, byte: 'first' | 'last'): TracedPacket[] {
  const packets: TracedPacket[] = [];
  const bytes = stream?.bytes ?? Buffer.alloc(0);
  for (let start = 0; stream !== undefined && start < bytes.length; ) {
    const { bodyStart, end } = boundsOf(bytes, start);
    if (end > bytes.length) break;
    const type = (bytes[start] as number) >> 4;
    const call = stream.callAt(byte === 'first' ? start : end - 1);
    packets.push({ type, packetId: packetIdOf(bytes, start, bodyStart, end), frame: bytes.subarray(start, end), call });
    start = end;
  }
  return packets;
}

function boundsOf(bytes: Buffer, start: number): { readonly bodyStart: number; readonly end: number } {
  let length = 0;
  let at = start + 1;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    length |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) return { bodyStart: at, end: at + length };
  }
}

function packetIdOf(bytes: Buffer, start: number, bodyStart: number, end: number): number {
  const first = bytes[start] as number;
  if (first >> 4 !== PacketType.Publish) return end - bodyStart < 2 ? 0 : bytes.readUInt16BE(bodyStart);
  return (first & 6) === 0 ? 0 : bytes.readUInt16BE(bodyStart + 2 + bytes.readUInt16BE(bodyStart));
}

function lowest(lines: readonly (number | undefined)[]): number | undefined {
  const known = lines.filter((line) => line !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function ensure<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
