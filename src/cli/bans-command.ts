/** `millrace bans …`: who is banned from a running broker. */
import { type BanAnswer, banAnswer, banList } from '../http/ban-answers.js';
import type { AdminClient } from './admin-client.js';
import { adminPages } from './admin-pages.js';
import { adminPath } from './admin-path.js';
import { type AdminConsole, AdminMisuse, type AdminRequest, showAnswer } from './admin-request.js';
import { parseDuration } from './duration.js';
import { formatTable } from './text-table.js';
import { visible } from './visible-text.js';

/** @returns whether what was asked for has come about @throws AdminCallFailed */
export async function runBansCommand(
  request: AdminRequest,
  client: AdminClient,
  console: AdminConsole,
): Promise<boolean | AdminMisuse> {
  const { command, operands } = request;
  const [kind = '', value = ''] = operands;
  switch (command) {
    case 'bans ls': {
      const bans: BanAnswer[] = [];
      for await (const page of adminPages(client, banList, adminPath('bans'))) bans.push(...page.bans);
      return showAnswer(request, console, { bans }, () => (bans.length === 0 ? 'nobody is banned\n' : bansText(bans)));
    }
    case 'bans add':
      return await addBan(request, client, console);
    default: {
      const ban = await client.ask(banAnswer, 'DELETE', adminPath('bans', kind, value));
      return showAnswer(request, console, ban, () => visible(`the ${ban.kind} ${ban.value} is banned no more\n`));
    }
  }
}

async function addBan(
  request: AdminRequest,
  client: AdminClient,
  console: AdminConsole,
): Promise<boolean | AdminMisuse> {
  const { options, operands } = request;
  const [kind = '', value = ''] = operands;
  const reason = options.get('reason');
  const time = options.get('for');
  const seconds = time === undefined ? undefined : parseDuration(time);
  if (time !== undefined && (seconds === undefined || seconds === 0)) {
    return new AdminMisuse(`flag --for: expected a time such as 30m or 7d, found "${time}"`);
  }
  const ban = await client.ask(banAnswer, 'PUT', adminPath('bans', kind, value), {
    ...(reason === undefined ? {} : { reason }),
    ...(seconds === undefined ? {} : { forMs: Math.round(seconds * 1000) }),
  });
  const end = ban.until === null ? 'until that is lifted' : `until ${ban.until}`;
  return showAnswer(request, console, ban, () => visible(`the ${ban.kind} ${ban.value} is banned ${end}\n`));
}

function bansText(bans: readonly BanAnswer[]): string {
  return formatTable(
    [
      { title: 'KIND' },
      { title: 'VALUE' },
      { title: 'BY' },
      { title: 'SINCE' },
      { title: 'UNTIL' },
      { title: 'REASON' },
    ],
    bans.map(({ kind, value, origin, since, until, reason }) => [
      kind,
      value,
      origin,
      since ?? '-',
      until ?? '-',
      reason ?? '-',
    ]),
  );
}
