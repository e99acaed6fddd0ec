/** A node of the retained index: a level that several topics begin with, and what is retained for the one that ends here. */
import { LevelNode } from './level-node.js';

export class RetainedNode<T> extends LevelNode<RetainedNode<T> | T> {
  value: T | undefined = undefined;

  get isEmpty(): boolean {
    return this.value === undefined && !this.hasChildren;
  }
}
