// Writes numbered records into a LevelDB database, one commit each, and says so after each: what the tests of the power
// loss layer cut off. Arguments: directory, sync (true or false), whether to sync the directory after opening.
import { open } from 'node:fs/promises';
import { Level } from 'level';

const [directory, sync, syncsDirectory] = process.argv.slice(2);
// Small, so that the log is changed for a new one every few dozen records.
const database = new Level(directory, { valueEncoding: 'utf8', writeBufferSize: 64 * 1024 });
await database.open();
if (syncsDirectory === 'true') {
  const handle = await open(directory);
  await handle.sync();
  await handle.close();
}
for (let number = 0; ; number++) {
  const batch = database.batch();
  batch.put(String(number), `${number} `.padEnd(1000, 'x'));
  await batch.write({ sync: sync === 'true' });
  process.stdout.write(`${number}\n`);
}
