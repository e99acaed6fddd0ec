/**
 * Reads a socket without its stream: all sockets read into one buffer, and what has come is copied to the end of a slab. Node's
 * stream takes 64 KiB of memory for each read, gives most of them back, and makes an ArrayBuffer of the rest, which a device
 * that sends a message now and then pays for with every one of them. A long read is handed on where it is, and copied by whoever
 * knows what is in it; and what is missing of something large is read to where it belongs.
 *
 *   kernel ──▶ [ one buffer for all reads ] ──copy──▶ slab [read|read|read|… ]
 *      └─────▶ room of the reader's own
 *
 * Node has this as the option `onread` of sockets that it connects, and not of those that it accepts. So the option's own
 * names are looked up on a socket that was made with it; where they are not to be found, sockets are read by their streams.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';

/** Takes what has come on a socket. */
export interface DirectReader {
  /** `bytes` are its own to keep. */
  onBytes(bytes: Buffer): void;
  /** `bytes` are read into again afterwards. */
  onSharedBytes(bytes: Buffer): void;
  /** Asked after a long read and after one to its room: whether it takes longer ones. */
  readonly takesLongReads: boolean;
  /** Asked as often: where the next bytes are to be read to, or null for anywhere. */
  readonly room: Buffer | null;
  /** So many bytes have been read to its room. */
  onRoomFilled(length: number): void;
}

/** What the option `onread` leaves in a socket. */
interface ReadingNames {
  readonly buffer: symbol;
  readonly callback: symbol;
  /** Of what is asked for the next buffer after each read. */
  readonly generator: symbol;
}

interface UserBufferHandle {
  useUserBuffer(buffer: Buffer): void;
}

type InnerSocket = Socket & { readonly _handle?: Partial<UserBufferHandle> | null } & Record<symbol, unknown>;

/** As much as Node's stream would read at a time. */
const READ_BYTES = 64 * 1024;
/** So that messages of as much are read in one go; twice as much is all that has to be kept of a client that is held. */
const LONG_READ_BYTES = 2 * READ_BYTES;
const SLAB_BYTES = 64 * 1024;
/** A longer read is handed on as it is. */
const LONGEST_IN_SLAB = SLAB_BYTES / 8;

const longBuffer = Buffer.allocUnsafeSlow(LONG_READ_BYTES);
const readBuffer = longBuffer.subarray(0, READ_BYTES);
const names = findNames();
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabUsed = 0;

/** Where the socket that has just been read is read to next; undefined for where it was read to. */
let nextBuffer: Buffer | undefined;
const takeNextBuffer = (): Buffer | undefined => nextBuffer;

/**
 * Makes a function that reads an accepted socket, over TCP or TLS, from then on: what comes is given to its reader, and is no event
 * `data`. What the socket's stream holds by then still is. It returns false if that is not possible, and changes nothing then.
 * @param readerOf the one that is to be given what comes; null if it is to be thrown away
 */
export function directReading(readerOf: (socket: Socket) => DirectReader | null): (socket: Socket) => boolean {
  const callback = function (this: Socket, length: number, buffer: Buffer): void {
    const isShared = buffer === longBuffer || buffer === readBuffer;
    nextBuffer = undefined;
    if (isShared && length <= LONGEST_IN_SLAB) {
      readerOf(this)?.onBytes(copyOfRead(length));
      return;
    }
    if (isShared) readerOf(this)?.onSharedBytes(buffer.subarray(0, length));
    else readerOf(this)?.onRoomFilled(length);
    // It may have gone meanwhile: then nobody fills its room.
    const reader = readerOf(this);
    nextBuffer = reader?.room ?? (reader?.takesLongReads === true ? longBuffer : readBuffer);
  };
  return (socket) => {
    const inner = socket as InnerSocket;
    const handle = inner._handle;
    if (names === null || typeof handle?.useUserBuffer !== 'function') return false;
    if (inner[names.buffer] !== null || inner[names.callback] !== null || inner[names.generator] !== null) return false;
    inner[names.buffer] = readBuffer;
    inner[names.callback] = callback;
    inner[names.generator] = takeNextBuffer;
    handle.useUserBuffer(readBuffer);
    return true;
  };
}

/** What has just been read, in memory that is not written to again. */
function copyOfRead(length: number): Buffer {
  if (slabUsed + length > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    slabUsed = 0;
  }
  const start = slabUsed;
  slabUsed += length;
  readBuffer.copy(slab, start, 0, length);
  return slab.subarray(start, slabUsed);
}

function findNames(): ReadingNames | null {
  // The types know the option for `connect` alone.
  const options = { onread: { buffer: () => readBuffer, callback: () => true } } as unknown as SocketConstructorOpts;
  const socket = new Socket(options);
  const own = Object.getOwnPropertySymbols(socket);
  socket.destroy();
  const buffer = own.find(({ description }) => description === 'kBuffer');
  const callback = own.find(({ description }) => description === 'kBufferCb');
  const generator = own.find(({ description }) => description === 'kBufferGen');
  if (buffer === undefined || callback === undefined || generator === undefined) return null;
  return { buffer, callback, generator };
}
