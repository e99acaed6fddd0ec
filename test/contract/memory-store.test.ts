import { MemoryJournal } from '../../src/store/journal.js';
import { MemoryMessageQueue } from '../../src/store/memory-message-queue.js';
import { describeJournal } from './journal.contract.js';
import { describeMessageQueue } from './message-queue.contract.js';

describeMessageQueue('in memory', { open: (messages, bytes) => new MemoryMessageQueue(messages, bytes) });
describeJournal('in memory', { open: () => new MemoryJournal() });
