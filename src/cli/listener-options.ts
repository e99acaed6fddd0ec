import type { ListenerOptions } from '../transport/listener.js';
import type { ListenerSettings } from './listener-schema.js';
import type { ProxyProtocolSettings } from './proxy-schema.js';
import { tlsOptions } from './tls-settings.js';

/** A listener as the configuration says; a 0 that stands for "no limit" is left out. */
export function listenerOptions(name: string, settings: ListenerSettings): ListenerOptions {
  const { tls, proxyProtocol, forwardedFor, origins, enabled: _enabled, ...rest } = settings;
  return {
    ...rest,
    name,
    maxConnectionsPerAddress: rest.maxConnectionsPerAddress || undefined,
    connectBurst: rest.connectBurst || undefined,
    connectBurstPerAddress: rest.connectBurstPerAddress || undefined,
    proxyProtocol: proxyOptions(proxyProtocol),
    forwardedFor: forwardedFor.trusted.length === 0 ? undefined : forwardedFor,
    origins: origins.length === 0 ? undefined : origins,
    tls: tlsOptions(tls),
  };
}

function proxyOptions({
  trusted,
  required,
  timeout,
  username,
}: ProxyProtocolSettings): ListenerOptions['proxyProtocol'] {
  if (trusted.length === 0) return undefined;
  return { trusted, required, timeoutMs: Math.round(timeout * 1000), takesUsername: username === 'common-name' };
}
