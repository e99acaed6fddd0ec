/** How a listener is reached. */
import type { OpenListener } from './running-broker.js';

/** Without TLS, and with it. */
const SCHEMES = { tcp: ['mqtt', 'mqtts'], ws: ['ws', 'wss'], sqs: ['http', 'https'] } as const;

/** `mqtt://127.0.0.1:1883`, `wss://[::1]:8084/mqtt`, `http://127.0.0.1:9324` */
export function listenerUrl({ kind, host, port, path, isEncrypted }: OpenListener): string {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const scheme = SCHEMES[kind][isEncrypted ? 1 : 0];
  return `${scheme}://${authority}${kind === 'ws' ? (path ?? '') : ''}`;
}
