/** What every kind of listener offers to the composition root. */
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.js';
import type { ByteChannel } from './byte-channel.js';
import type { LingeringClose } from './lingering-close.js';
import type { TlsDoor } from './tls/tls-door.js';
import type { TlsOptions } from './tls/tls-options.js';

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
  /** Default: there is no TLS. */
  readonly tls?: TlsOptions | undefined;
}

/** What all listeners of a broker share. */
export interface TransportContext {
  readonly lingeringClose: LingeringClose;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Listener {
  readonly options: ListenerOptions;
  /** The port that is bound. */
  readonly port: number;
  /** Connections turned away because of `maxConnections`. */
  readonly refusedConnections: number;
  /** Null without TLS. */
  readonly tls: TlsDoor | null;
  /** Accepts nothing more. Open channels live on. */
  close(): Promise<void>;
}

/** Takes a new channel; it must set a handler before it returns. */
export type Acceptor = (channel: ByteChannel) => void;
