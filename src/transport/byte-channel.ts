/**
 * A socket as the rest of the broker sees it: bytes in, bytes out, whatever carries them. Implemented for TCP and for
 * WebSocket; knows nothing of MQTT.
 */

import type { ClientCertificate } from './tls/client-certificate.js';

/** Where a channel came in. */
export interface ListenerInfo {
  /** The listener's name in the configuration. */
  readonly name: string;
  readonly kind: 'tcp' | 'ws';
  /** It is bound to an address of this machine alone. */
  readonly isLoopback: boolean;
  readonly isEncrypted: boolean;
}

/** Takes what happens on a channel. */
export interface ChannelHandler {
  /** `chunk` is the handler's to keep; nobody writes to it any more. */
  onBytes(chunk: Buffer): void;
  /** The same, but `chunk` is read into again after the call: what is to stay of it has to be copied. */
  onSharedBytes(chunk: Buffer): void;
  /** More than usual may be read of it at a time. Asked when {@link room} is. */
  readonly takesLongReads: boolean;
  /**
   * Where it would like the next bytes to be read to; null if that makes no difference. Asked after {@link onSharedBytes} and
   * {@link onRoomFilled}; a channel that calls neither need not ask.
   */
  readonly room: Buffer | null;
  /** So many bytes have been read to the {@link room} that was asked for last. */
  onRoomFilled(length: number): void;
  /** {@link ByteChannel.mustWait} has become false again. */
  onDrain(): void;
  /** The channel is gone, once, for whatever reason. No other call follows. */
  onClose(reason: ChannelCloseReason): void;
}

/** `ended`: the peer closed in order; `error`: reset or another failure; `invalid`: it broke the carrier's own rules. */
export type ChannelCloseReason = 'ended' | 'error' | 'invalid';

export interface ByteChannel {
  readonly listener: ListenerInfo;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The certificate that the client has shown and that was found valid; null if it has shown none. */
  readonly clientCertificate: ClientCertificate | null;
  /** Bytes that were written but not yet taken by the operating system. */
  readonly unsentBytes: number;
  /** Nothing should be written until {@link ChannelHandler.onDrain}. */
  readonly mustWait: boolean;
  setHandler(handler: ChannelHandler): void;
  /** `bytes` must stay unchanged until {@link unsentBytes} is 0. */
  write(bytes: Buffer): void;
  /** Writes between the two are handed to the operating system together. */
  cork(): void;
  uncork(): void;
  /** Stops reading; what has been read already may still arrive. */
  pause(): void;
  resume(): void;
  /**
   * Closes in order: everything written is sent, then our side is closed; the peer's bytes are read and thrown away for
   * a bounded while, because a reset would take our last packet with it. The handler hears nothing more.
   */
  end(): void;
  /** Closes at once. The handler hears nothing more. */
  destroy(): void;
}
