/** The paths of the administration. */
import { AdminCallFailed } from './admin-client.js';

/**
 * `/api/v1/…`, of names as they are.
 * @throws AdminCallFailed for a name that an address cannot have: it would lead elsewhere, to another thing of that name
 */
export function adminPath(...names: readonly string[]): string {
  for (const name of names) {
    if (name === '.' || name === '..' || name === '') {
      throw new AdminCallFailed(`${JSON.stringify(name)} cannot be asked for by HTTP`);
    }
    if (Buffer.from(name).toString() !== name) throw new AdminCallFailed(`${JSON.stringify(name)} is no UTF-8 text`);
  }
  return `/api/v1/${names.map(encodeURIComponent).join('/')}`;
}
