/** What this process has executed since it was last asked. */
import { Session } from 'node:inspector';
import type { ScriptCoverage } from './coverage-map.js';

export class PreciseCoverage {
  readonly #session = new Session();

  /** Before the code that is to be watched is loaded. */
  async start(): Promise<void> {
    this.#session.connect();
    await this.#post('Profiler.enable');
    await this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  async take(): Promise<readonly ScriptCoverage[]> {
    const { result } = (await this.#post('Profiler.takePreciseCoverage')) as { result: ScriptCoverage[] };
    return result;
  }

  stop(): void {
    this.#session.disconnect();
  }

  #post(method: string, parameters: object = {}): Promise<object> {
    return new Promise((resolve, reject) => {
      this.#session.post(method, parameters, (error: Error | null, result?: object) => {
        if (error === null) resolve(result ?? {});
        else reject(error);
      });
    });
  }
}
