/** What every kind of listener offers to the composition root. */
import type { ByteChannel } from './byte-channel.js';

export interface ListenerOptions {
  /** The listener's name in the configuration. */
  readonly name: string;
  readonly kind: 'tcp' | 'ws';
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Connections at a time; the next one is closed at once. Default: as many as the operating system gives. */
  readonly maxConnections?: number | undefined;
  /** `ws` only: the URL path, for example `/mqtt`. */
  readonly path?: string | undefined;
  /** `ws` only: largest WebSocket message taken, in bytes. */
  readonly maximumMessageBytes?: number | undefined;
}

export interface Listener {
  readonly options: ListenerOptions;
  /** The port that is bound. */
  readonly port: number;
  /** Connections turned away because of `maxConnections`. */
  readonly refusedConnections: number;
  /** Accepts nothing more. Open channels live on. */
  close(): Promise<void>;
}

/** Takes a new channel; it must set a handler before it returns. */
export type Acceptor = (channel: ByteChannel) => void;
