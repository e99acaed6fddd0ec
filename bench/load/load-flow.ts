/** How much of a load is on its way at once. */
import type { BenchOptions } from '../bench-options.js';
import { type LoadScenario, receiversOf } from '../load-scenarios.js';

export interface LoadFlow {
  readonly windowMessages: number;
  readonly batchMessages: number;
}

/** Of payload, over all publishers and receivers: large messages get a smaller window, since brokers bound what they hold for a client. */
const MOST_BYTES_UNDER_WAY = 16 * 1024 * 1024;

/** What the options ask for, or else what the scenario says, as far as payloads of that size allow. */
export function flowFor(
  load: LoadScenario,
  { windowMessages, batchMessages }: Pick<BenchOptions, 'windowMessages' | 'batchMessages'>,
  payloadBytes: number,
): LoadFlow {
  const bytesOfOneEach = load.publishers * receiversOf(load, 0) * payloadBytes;
  const most = Math.max(1, Math.floor(MOST_BYTES_UNDER_WAY / bytesOfOneEach));
  const window = windowMessages ?? Math.min(load.windowMessages, most);
  // Two batches in a window, so that one is under way while the other is acknowledged.
  const usual = window < load.windowMessages ? Math.ceil(window / 2) : load.batchMessages;
  return { windowMessages: window, batchMessages: batchMessages ?? Math.min(load.batchMessages, usual) };
}
