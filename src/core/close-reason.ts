/** Why a network connection ended. The one list of such reasons: every close names one of these and is counted. */
export const CLOSE_REASONS = [
  'client-disconnect',
  'connection-lost',
  'socket-error',
  'keep-alive-timeout',
  'connect-timeout',
  'connect-refused',
  'authentication-failed',
  'credentials-expired',
  'credentials-withdrawn',
  'unexpected-tls',
  'unexpected-proxy-header',
  'protocol-violation',
  'packet-too-large',
  'slow-consumer',
  'session-taken-over',
  'server-shutdown',
  'storage-unavailable',
  'work-queue-full',
  'administrative',
  'banned',
  'message-rate',
  'internal-error',
] as const;

export type CloseReason = (typeof CLOSE_REASONS)[number];
