/** What a process has to live on, for the overload guard. */
import { getHeapStatistics } from 'node:v8';

export interface ProcessLoad {
  /** Part of the JavaScript heap that is in use, 0 to 1. */
  heapShare(): number;
  residentBytes(): number;
}

export class OwnProcessLoad implements ProcessLoad {
  heapShare(): number {
    const { used_heap_size, heap_size_limit } = getHeapStatistics();
    return used_heap_size / heap_size_limit;
  }

  residentBytes(): number {
    return process.memoryUsage.rss();
  }
}
