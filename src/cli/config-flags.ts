/** The flags of the command line that stand for settings. */
import type { Override } from './config-origin.js';
import type { ConfigurationProblem } from './configuration-error.js';
import type { SettingNode } from './setting-tree.js';
import { parseSettingValue } from './setting-value.js';

export interface SettingFlag {
  readonly name: string;
  readonly value: string;
  readonly help: string;
  readonly paths: readonly (readonly string[])[];
}

export const SETTING_FLAGS: readonly SettingFlag[] = [
  {
    name: 'port',
    value: 'PORT',
    help: 'MQTT over TCP, 0 takes a free port (listeners.tcp.port, default 1883)',
    paths: [['listeners', 'tcp', 'port']],
  },
  {
    name: 'ws-port',
    value: 'PORT',
    help: 'MQTT over WebSocket, 0 takes a free port (listeners.ws.port, default 8083)',
    paths: [['listeners', 'ws', 'port']],
  },
  {
    name: 'http-port',
    value: 'PORT',
    help: 'HTTP, 0 takes a free port (http.port, default 8080)',
    paths: [['http', 'port']],
  },
  {
    name: 'sqs-port',
    value: 'PORT',
    help: 'endpoint for clients of SQS, 0 takes a free port (sqs.port, default 9324)',
    paths: [['sqs', 'port']],
  },
  {
    name: 'host',
    value: 'HOST',
    help: 'address that these two of MQTT listen on (default 127.0.0.1; 0.0.0.0 for all)',
    paths: [
      ['listeners', 'tcp', 'host'],
      ['listeners', 'ws', 'host'],
    ],
  },
  {
    name: 'data',
    value: 'DIR',
    help: 'directory of what is stored (storage.directory, default ./data)',
    paths: [['storage', 'directory']],
  },
  {
    name: 'log-level',
    value: 'LEVEL',
    help: 'trace, debug, info, warn, error, fatal or silent (log.level, default info)',
    paths: [['log', 'level']],
  },
  {
    name: 'log-format',
    value: 'FORMAT',
    help: 'json, pretty or auto (log.format, default auto: pretty on a terminal)',
    paths: [['log', 'format']],
  },
];

/** @param flags values by name, without the dashes; names that are no setting's are left alone */
export function readFlags(
  flags: ReadonlyMap<string, string>,
  tree: SettingNode,
): { readonly overrides: readonly Override[]; readonly problems: readonly ConfigurationProblem[] } {
  const overrides: Override[] = [];
  const problems: ConfigurationProblem[] = [];
  for (const { name, paths } of SETTING_FLAGS) {
    const text = flags.get(name);
    if (text === undefined) continue;
    for (const path of paths) {
      const parsed = parseSettingValue(tree, path, text);
      if (parsed.ok) overrides.push({ path, value: parsed.value, origin: { kind: 'flag', name: `--${name}` } });
      else problems.push({ where: `flag --${name}`, path: '', message: parsed.message });
    }
  }
  return { overrides, problems };
}
