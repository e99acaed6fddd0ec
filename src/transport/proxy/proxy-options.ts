/** What a listener takes from proxies in front of it. */

export interface ProxyProtocolOptions {
  /** Addresses of the proxies, as ranges in CIDR notation; nobody else's header is looked at. */
  readonly trusted: readonly string[];
  /** Everybody has to come through a proxy. Otherwise who does not, and a proxy that sends no header, is served as it comes. Default: true. */
  readonly required?: boolean;
  /** From the connection to the end of the header. Default: {@link DEFAULT_PROXY_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  /** The CN of a certificate that the proxy has verified is the user name. Default: false. */
  readonly takesUsername?: boolean;
}

/** The header comes with the first packet of the connection; three seconds are what a lost one takes to come again. */
export const DEFAULT_PROXY_TIMEOUT_MS = 5000;

/** What a listener for WebSocket takes from proxies that speak HTTP. */
export interface ForwardedForOptions {
  /** Addresses of the proxies, as ranges in CIDR notation. */
  readonly trusted: readonly string[];
  /** The one that the proxy writes: another one may come from the client as it likes. */
  readonly header: 'x-forwarded-for' | 'forwarded';
}
