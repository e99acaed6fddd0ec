/** What batches have in common: up to ten entries, each with an id of its own, each done or failed by itself. */
import { SqsError } from './sqs-error.js';
import type { SqsInput } from './sqs-input.js';

const MOST_ENTRIES = 10;
const ENTRY_ID = /^[A-Za-z0-9_-]{1,80}$/;

type Fields = Readonly<Record<string, unknown>>;

/** @returns the entries by their ids, in order @throws SqsError */
export function readBatch(input: SqsInput): ReadonlyMap<string, SqsInput> {
  const entries = input.list('Entries');
  if (entries.length === 0) {
    throw new SqsError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  }
  if (entries.length > MOST_ENTRIES) {
    const message = `Maximum number of entries per request are ${MOST_ENTRIES}. You have sent ${entries.length}.`;
    throw new SqsError('TooManyEntriesInBatchRequest', message);
  }
  const byId = new Map<string, SqsInput>();
  for (const entry of entries) {
    const id = entry.neededText('Id');
    if (!ENTRY_ID.test(id)) {
      const message =
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.';
      throw new SqsError('InvalidBatchEntryId', message);
    }
    if (byId.has(id)) throw new SqsError('BatchEntryIdsNotDistinct', `Id ${id} repeated.`);
    byId.set(id, entry);
  }
  return byId;
}

/** Does each entry by itself. @param doOne called with the entry and its place in the batch */
export function doEach(
  entries: ReadonlyMap<string, SqsInput>,
  doOne: (entry: SqsInput, place: number) => Fields,
): Fields {
  const successful: Fields[] = [];
  const failed: Fields[] = [];
  let place = 0;
  for (const [id, entry] of entries) {
    try {
      successful.push({ Id: id, ...doOne(entry, place++) });
    } catch (error) {
      if (!(error instanceof SqsError)) throw error;
      failed.push({ Id: id, SenderFault: error.isSendersFault, Code: error.queryCode, Message: error.message });
    }
  }
  return {
    ...(successful.length === 0 ? {} : { Successful: successful }),
    ...(failed.length === 0 ? {} : { Failed: failed }),
  };
}
