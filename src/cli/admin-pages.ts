/** Lists that the broker gives page by page. */
import type { z } from 'zod';
import type { AdminClient } from './admin-client.js';

const PAGE = 1000;

interface Page {
  readonly cursor: string | null;
}

/** All pages of a list, whatever number of them there is. @throws AdminCallFailed */
export async function* adminPages<Answer extends Page>(
  client: AdminClient,
  schema: z.ZodType<Answer>,
  path: string,
): AsyncGenerator<Answer> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = new URLSearchParams({ limit: String(PAGE), cursor }).toString();
    const page: Answer = await client.ask(schema, 'GET', `${path}?${query}`);
    yield page;
    cursor = page.cursor;
  }
}
