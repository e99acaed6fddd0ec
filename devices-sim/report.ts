/** The last word on a run: did every reading arrive, and if not, whose did not. Pure: an outcome in, lines out. */
import type { DeviceAccount, LedgerTotals } from './ledger.js';
import { formatCount, formatLatency } from './number-format.js';
import type { QoS } from './options.js';

/** Everything that is known when a run is over. */
export interface RunOutcome {
  readonly qos: QoS;
  /** Readings that the run was to send; undefined in a loop. */
  readonly planned: number | undefined;
  readonly devices: number;
  readonly elapsedSeconds: number;
  readonly totals: LedgerTotals;
  readonly accounts: readonly DeviceAccount[];
  readonly firstRefusal: string | undefined;
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
  /** Ended early by the user. */
  readonly interrupted: boolean;
  /** Ended early because nothing moved for `patienceSeconds`. */
  readonly stalledSeconds: number | undefined;
  readonly observerConnectionLosses: number;
  readonly statusMessagesLeft: number;
}

const DEVICES_NAMED = 10;

/**
 * True when everything that was sent came back once, in order, and nothing that was planned is unsent, unless the user
 * ended the run. A duplicate is allowed at QoS 1, which promises at least once [MQTT-4.3.2].
 */
export function isSuccess({ qos, planned, totals, interrupted }: RunOutcome): boolean {
  const complete = interrupted || totals.sent === planned;
  const duplicatesAllowed = qos === 1 || totals.duplicated === 0;
  return complete && duplicatesAllowed && totals.missing === 0 && totals.outOfOrder === 0 && totals.unexpected === 0;
}

export function reportLines(outcome: RunOutcome): string[] {
  const success = isSuccess(outcome);
  return [
    ...endedEarly(outcome),
    `${success ? 'every reading was delivered' : 'NOT every reading was delivered as it should be'}: ${sums(outcome.totals)}`,
    ...(success ? [] : reasons(outcome)),
    figures(outcome),
    ...remarks(outcome),
  ];
}

function endedEarly({ interrupted, stalledSeconds, planned, totals }: RunOutcome): string[] {
  const place = `after ${formatCount(totals.sent)}${planned === undefined ? '' : ` of ${formatCount(planned)}`} readings`;
  if (interrupted) return [`stopped on request ${place}; of these:`];
  if (stalledSeconds !== undefined) return [`given up ${place}: nothing moved for ${stalledSeconds} s; of these:`];
  return [];
}

function sums({ sent, received, missing, duplicated, outOfOrder }: LedgerTotals): string {
  return (
    `${formatCount(sent)} sent, ${formatCount(received)} received, ${formatCount(missing)} lost, ` +
    `${formatCount(duplicated)} duplicated, ${formatCount(outOfOrder)} out of order`
  );
}

function reasons({ totals, accounts, firstRefusal, qos }: RunOutcome): string[] {
  const faults = (account: DeviceAccount) =>
    account.missing + account.outOfOrder + (qos === 1 ? 0 : account.duplicated);
  const affected = accounts.filter((account) => faults(account) > 0).sort((a, b) => faults(b) - faults(a));
  const lines = affected
    .slice(0, DEVICES_NAMED)
    .map((account) => `  ${account.device}: ${sums({ ...account, unexpected: 0 })}`);
  if (affected.length > DEVICES_NAMED) lines.push(`  and ${formatCount(affected.length - DEVICES_NAMED)} more devices`);
  const unacknowledged = totals.sent - totals.acknowledged - totals.refused;
  if (unacknowledged > 0) lines.push(`${formatCount(unacknowledged)} readings were never acknowledged by the broker`);
  if (totals.refused > 0) {
    lines.push(`${formatCount(totals.refused)} readings were refused by the broker, the first with: ${firstRefusal}`);
  }
  if (totals.unexpected > 0) {
    lines.push(`${formatCount(totals.unexpected)} messages arrived that no device of this run has sent`);
  }
  return lines;
}

function figures({ devices, elapsedSeconds, totals, latency }: RunOutcome): string {
  const rate = elapsedSeconds > 0 ? totals.received / elapsedSeconds : 0;
  return (
    `${formatCount(devices)} devices, ${elapsedSeconds.toFixed(1)} s, ${formatCount(rate)} readings/s, ` +
    `end-to-end latency p50 ${formatLatency(latency.p50Ms)}, p99 ${formatLatency(latency.p99Ms)}, max ${formatLatency(latency.maxMs)}`
  );
}

function remarks({ observerConnectionLosses, statusMessagesLeft, qos, totals }: RunOutcome): string[] {
  const lines: string[] = [];
  if (qos === 1 && totals.duplicated > 0) lines.push('duplicates are allowed at QoS 1 (at least once)');
  if (observerConnectionLosses > 0) {
    lines.push(
      `the subscriber's own connection broke ${observerConnectionLosses} times: what was sent meanwhile counts as lost`,
    );
  }
  if (statusMessagesLeft > 0) {
    lines.push(`${formatCount(statusMessagesLeft)} retained status messages could not be removed`);
  }
  return lines;
}
