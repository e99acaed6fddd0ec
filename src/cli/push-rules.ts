/** What must hold between the settings of webhooks that are each right on their own. */
import { AllowedTargets } from '../bridge/push/allowed-targets.js';
import type { BrokenRule } from './broken-rule.js';
import type { Settings } from './config-schema.js';
import { type SettingPath, settingName } from './setting-path.js';

export function* soundPushes({ queues, push: { allow } }: Pick<Settings, 'queues' | 'push'>): Generator<BrokenRule> {
  const allowed = new AllowedTargets(allow);
  for (const [name, { push, type, ordering }] of Object.entries(queues)) {
    const path = ['queues', name, 'push'];
    const { url, secrets, secretsFile, headers, ca, breaker } = push;
    if (url === undefined) {
      const idle = Object.entries({ secrets: secrets[0], secretsFile, headers: Object.keys(headers)[0], ca });
      for (const [key, value] of idle) if (value !== undefined) yield withoutEffect([...path, key], path);
      continue;
    }
    const { protocol, hostname } = new URL(url);
    if (!allowed.mayAllow(hostname)) {
      yield {
        paths: [
          [...path, 'url'],
          ['push', 'allow'],
        ],
        message: `${settingName(path)}.url: ${hostname} is not in push.allow${allow.length === 0 ? ', and is no public address' : ''}`,
      };
    }
    if (protocol === 'http:' && ca !== undefined) {
      yield { paths: [[...path, 'ca']], message: `${settingName(path)}.ca has no effect: its url is not https` };
    }
    if (breaker.longestWait < breaker.firstWait) {
      yield {
        paths: [
          [...path, 'breaker', 'longestWait'],
          [...path, 'breaker', 'firstWait'],
        ],
        message: `${settingName(path)}.breaker.longestWait must be at least breaker.firstWait`,
      };
    }
    // It would be sent several messages of a group at a time, which arrive in any order.
    if (type === 'fifo' && ordering === 'pipelined') {
      yield {
        paths: [['queues', name, 'ordering'], path],
        message: `${settingName(['queues', name])}.ordering cannot be pipelined if the queue is pushed: requests at one time have no order`,
      };
    }
  }
}

function withoutEffect(path: SettingPath, section: SettingPath): BrokenRule {
  return { paths: [path], message: `${settingName(path)} has no effect without ${settingName(section)}.url` };
}
