/** A node of the retained index: one level of one or more topics, with what is retained for the topic that ends here. */
import { LevelNode } from './level-node.js';

export class RetainedNode<T> extends LevelNode<RetainedNode<T>> {
  value: T | undefined = undefined;

  get isEmpty(): boolean {
    return this.value === undefined && !this.hasChildren;
  }

  /** Takes this node out of the tree if nothing is left in it, and each node above it that is left empty by that. */
  prune(): void {
    let node: RetainedNode<T> = this;
    while (node.parent !== null && node.isEmpty) {
      const parent: RetainedNode<T> = node.parent;
      parent.removeChild(node);
      node = parent;
    }
  }
}
