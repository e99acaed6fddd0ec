import { MessageLog } from '../../src/store/message-log.js';
import { TestCounter } from '../support/delayed-store.js';
import { StandInLog } from '../support/stand-in-log.js';
import { describeDurableMessageLog, describeMessageLog, type OpenLog } from './message-log.contract.js';
import { describeDurableQueuesOfMessageLog, describeQueuesOfMessageLog } from './message-log-queues.contract.js';

async function openInMemory(): Promise<OpenLog> {
  const log = new MessageLog(null, new TestCounter(), { cacheBytes: 0, onDamaged: () => {} });
  return { log, settledTicket: Number.MAX_SAFE_INTEGER, damaged: 0, commit: async () => log.contribute() };
}

const openStandIn = async (cacheBytes: number): Promise<OpenLog> => new StandInLog(cacheBytes);

describeMessageLog('in memory', { open: openInMemory });
describeMessageLog('on a stand-in', { open: openStandIn });
describeDurableMessageLog('on a stand-in', { open: openStandIn });
describeQueuesOfMessageLog('in memory', { open: openInMemory });
describeQueuesOfMessageLog('on a stand-in', { open: openStandIn });
describeDurableQueuesOfMessageLog('on a stand-in', { open: openStandIn });
