/** What MQTT goes over. `ws` and `wss` are WebSocket, the latter and `tls` with TLS. */
export type Transport = 'tcp' | 'tls' | 'ws' | 'wss';

export const EVERY_TRANSPORT: readonly Transport[] = ['tcp', 'tls', 'ws', 'wss'];

export function isEncrypted(transport: Transport): boolean {
  return transport === 'tls' || transport === 'wss';
}

export function isWebSocket(transport: Transport): boolean {
  return transport === 'ws' || transport === 'wss';
}
