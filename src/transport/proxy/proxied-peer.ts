import type { ClientCertificate } from '../tls/client-certificate.js';

/** Who is behind a proxy, as one says that is trusted. */
export interface ProxiedPeer {
  readonly address: string;
  /** 0 where it is not told. */
  readonly port: number;
  /** What the proxy has verified and the listener takes for proven; null for none. */
  readonly certificate: ClientCertificate | null;
}
