/** What every kind of listener offers to the composition root. */
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.js';
import type { SlicedTasks } from '../core/sliced-tasks.js';
import type { AdmissionLimits, ConnectionGate } from './admission.js';
import type { ByteChannel } from './byte-channel.js';
import type { ConnectionRefusal } from './connection-refusal.js';
import type { LingeringClose } from './lingering-close.js';
import type { ForwardedForOptions, ProxyProtocolOptions } from './proxy/proxy-options.js';
import type { TlsDoor } from './tls/tls-door.js';
import type { TlsOptions } from './tls/tls-options.js';

export interface ListenerOptions extends AdmissionLimits {
  /** The listener's name in the configuration. */
  readonly name: string;
  readonly kind: 'tcp' | 'ws';
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** `ws` only: the URL path, for example `/mqtt`. */
  readonly path?: string | undefined;
  /** `ws` only: largest WebSocket message taken, in bytes. */
  readonly maximumMessageBytes?: number | undefined;
  /** `ws` only: origins whose pages may open a WebSocket, such as `https://example.com`. Default: all. */
  readonly origins?: readonly string[] | undefined;
  /** `ws` only: proxies that name the client in a header of HTTP. Default: there are none. */
  readonly forwardedFor?: ForwardedForOptions | undefined;
  /** Proxies that name the client in a header of the PROXY protocol. Default: there are none. */
  readonly proxyProtocol?: ProxyProtocolOptions | undefined;
  /** Default: there is no TLS. */
  readonly tls?: TlsOptions | undefined;
}

/** What all listeners of a broker share. */
export interface TransportContext {
  readonly lingeringClose: LingeringClose;
  readonly slicedTasks: SlicedTasks;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: everybody is let in. */
  readonly gate?: ConnectionGate;
  /** A socket has been accepted. Default: nobody asks. */
  readonly onAccepted?: () => void;
  /** Certificates of connected clients may be withdrawn now. Default: nobody asks. */
  readonly onTrustChanged?: () => void;
}

export interface Listener {
  readonly options: ListenerOptions;
  /** The port that is bound. */
  readonly port: number;
  /** Connections turned away, in all and by reason. */
  readonly refusedConnections: number;
  readonly refusals: ReadonlyMap<ConnectionRefusal, number>;
  /** Null without TLS. */
  readonly tls: TlsDoor | null;
  /** Accepts nothing more. Open channels live on. */
  close(): Promise<void>;
}

/** Takes a new channel; it must set a handler before it returns. */
export type Acceptor = (channel: ByteChannel) => void;
