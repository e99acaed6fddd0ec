/**
 * The TCP handles that `net.Socket` is made of, as far as `BareClient` uses them. Node has them for itself: they may be gone or look
 * different in another version, so whoever wants them asks first, and has another way.
 */

/** Zero, or below it one of libuv's error codes. */
export type Status = number;

export interface TcpHandle {
  /**
   * Called when something has come: how many bytes, or the error, is in `readState` until the next call. What it returned would be taken
   * for another buffer to read into.
   */
  onread: () => void;
  connect(request: ConnectRequest, ipv4: string, port: number): Status;
  setNoDelay(isOn: boolean): Status;
  /** What comes is written there, each time from its beginning. */
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): Status;
  /** The bytes must stay as they are, and be held by somebody, until they have been taken. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): Status;
  close(): void;
}

export interface ConnectRequest {
  oncomplete: (status: Status) => void;
}

export interface WriteRequest {
  /** Called if the bytes were not taken at once. */
  oncomplete: (status: Status) => void;
}

export interface TcpHandles {
  /** Of a connection that is opened from here. */
  newHandle(): TcpHandle;
  newConnectRequest(): ConnectRequest;
  newWriteRequest(): WriteRequest;
  /** Within `onread`: the bytes that have come, or an error. */
  bytesReadOrError(): number;
}

interface TcpBinding {
  readonly TCP: new (kind: number) => TcpHandle;
  readonly TCPConnectWrap: new () => ConnectRequest;
  readonly constants: { readonly SOCKET: number };
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
}

type Bind = (name: string) => unknown;

const METHODS = ['connect', 'setNoDelay', 'useUserBuffer', 'readStart', 'writeBuffer', 'close'] as const;

/** Undefined where Node does not hand them out, or they are not what they were. Says nothing of it on the console. */
export function findTcpHandles(): TcpHandles | undefined {
  try {
    const { TCP, TCPConnectWrap, constants } = binding('tcp_wrap') as TcpBinding;
    const { WriteWrap, streamBaseState, kReadBytesOrError } = binding('stream_wrap') as StreamBinding;
    const isWhole =
      METHODS.every((method) => typeof TCP.prototype[method] === 'function') &&
      typeof TCPConnectWrap === 'function' &&
      typeof WriteWrap === 'function' &&
      typeof constants.SOCKET === 'number' &&
      typeof streamBaseState[kReadBytesOrError] === 'number';
    if (!isWhole) return undefined;
    return {
      newHandle: () => new TCP(constants.SOCKET),
      newConnectRequest: () => new TCPConnectWrap(),
      newWriteRequest: () => new WriteWrap(),
      bytesReadOrError: () => streamBaseState[kReadBytesOrError] as number,
    };
  } catch {
    return undefined;
  }
}

/** @throws when there is no such thing */
function binding(name: string): unknown {
  const { binding: bind } = process as unknown as { readonly binding: Bind };
  const isSilent = process.noDeprecation;
  process.noDeprecation = true;
  try {
    return bind(name);
  } finally {
    if (isSilent === undefined) delete process.noDeprecation;
    else process.noDeprecation = isSilent;
  }
}
