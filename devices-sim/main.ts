/** The command `npm run sim`: the terminal, the signals and the exit code; what a run is stands in simulation.ts. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { SystemClock } from './clock.js';
import { readDataSet } from './data-set.js';
import { SimulatorError, UsageError } from './errors.js';
import { HELP_TEXT } from './help-text.js';
import { parseOptions } from './options.js';
import { BarDisplay, LineDisplay } from './progress.js';
import { isSuccess, reportLines } from './report.js';
import { runSimulation } from './simulation.js';

/** Seen from the compiled file, build/devices-sim/main.js: the compiler does not copy the data. */
const DATA_FOLDER = fileURLToPath(new URL('../../devices-sim/data/', import.meta.url));

const print = (line: string) => console.log(line);

async function main(words: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(words);
    if (options.help) {
      print(HELP_TEXT);
      return 0;
    }
    const outcome = await runSimulation(
      { ...options, run: options.run ?? randomUUID().slice(0, 8) },
      await readDataSet(DATA_FOLDER),
      {
        clock: new SystemClock(),
        display: process.stdout.isTTY ? new BarDisplay(process.stdout) : new LineDisplay(print),
        print,
        signal: stopOnRequest(),
      },
    );
    for (const line of reportLines(outcome)) print(line);
    return isSuccess(outcome) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof SimulatorError)) throw error;
    console.error(error.message);
    if (!(error instanceof UsageError)) return 1;
    console.error('"npm run sim -- --help" lists the flags.');
    return 2;
  }
}

/** Aborted by the first Ctrl-C (or SIGTERM), after which the run ends in order; the second one kills, as usual. */
function stopOnRequest(): AbortSignal {
  const stop = new AbortController();
  const onSignal = () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return stop.signal;
}

process.exitCode = await main(process.argv.slice(2));
