/**
 * Reads a socket without its stream: all sockets read into one buffer, and what has come is copied to the end of a slab. Node's
 * stream takes 64 KiB of memory for each read, gives most of them back, and makes an ArrayBuffer of the rest, which a device
 * that sends a message now and then pays for with every one of them.
 *
 *   kernel ──▶ [ one buffer for all reads ] ──copy──▶ slab [read|read|read|… ]
 *
 * Node has this as the option `onread` of sockets that it connects, and not of those that it accepts. So the option's own
 * names are looked up on a socket that was made with it; where they are not to be found, sockets are read by their streams.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';

/** Called for a socket with what has come, which is its own to keep. */
export type OnBytes = (socket: Socket, bytes: Buffer) => void;

/** What the option `onread` leaves in a socket. */
interface ReadingNames {
  readonly buffer: symbol;
  readonly callback: symbol;
}

interface UserBufferHandle {
  useUserBuffer(buffer: Buffer): void;
}

type InnerSocket = Socket & { readonly _handle?: Partial<UserBufferHandle> | null } & Record<symbol, unknown>;

/** As much as Node's stream would read at a time. */
const READ_BYTES = 64 * 1024;
const SLAB_BYTES = 64 * 1024;
/** A longer read has memory of its own. */
const LONGEST_IN_SLAB = SLAB_BYTES / 8;

const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
const names = findNames();
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabUsed = 0;

/**
 * Makes a function that reads an accepted socket, over TCP or TLS, from then on: what comes is given to `onBytes`, and is no event
 * `data`. What the socket's stream holds by then still is. It returns false if that is not possible, and changes nothing then.
 */
export function directReader(onBytes: OnBytes): (socket: Socket) => boolean {
  const callback = function (this: Socket, length: number): void {
    onBytes(this, copyOfRead(length));
  };
  return (socket) => {
    const inner = socket as InnerSocket;
    const handle = inner._handle;
    if (names === null || typeof handle?.useUserBuffer !== 'function') return false;
    if (inner[names.buffer] !== null || inner[names.callback] !== null) return false;
    inner[names.buffer] = readBuffer;
    inner[names.callback] = callback;
    handle.useUserBuffer(readBuffer);
    return true;
  };
}

/** What has just been read, in memory that is not written to again. */
function copyOfRead(length: number): Buffer {
  if (length > LONGEST_IN_SLAB) {
    const own = Buffer.allocUnsafeSlow(length);
    readBuffer.copy(own, 0, 0, length);
    return own;
  }
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
  const options = { onread: { buffer: readBuffer, callback: () => true } } as SocketConstructorOpts;
  const socket = new Socket(options);
  const own = Object.getOwnPropertySymbols(socket);
  socket.destroy();
  const buffer = own.find(({ description }) => description === 'kBuffer');
  const callback = own.find(({ description }) => description === 'kBufferCb');
  return buffer === undefined || callback === undefined ? null : { buffer, callback };
}
