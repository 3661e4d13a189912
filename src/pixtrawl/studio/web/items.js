// The items of a view, fetched by ranges of indices as they come into sight.
import { get, ofSet } from "./api.js";

/**
 * @typedef {object} Item
 * @property {string} id
 * @property {number} n
 * @property {string} label
 * @property {string} [name]
 * @property {number} [w]
 * @property {number} [h]
 * @property {"keep"|"reject"|null} [decision]
 * @property {string} [reason]
 * @property {string} [title]
 * @property {string} [src_host]
 * @property {string} [licence]
 * @property {string} [v] version of the picture; "" where none may be shown
 * @property {string} [detail]
 * @property {boolean} [restorable] of what was not kept: whether it can be brought back
 */

const BLOCK = 100;
const BLOCKS_HELD = 80;
const AT_ONCE = 2;

/** Items by index. Blocks in sight are fetched first; those long out of sight are forgotten. */
export class Items {
  /**
   * @param {string} set @param {string} view
   * @param {{loaded(first: number, last: number): void, gone(): void, failed(error: Error): void}} tell
   */
  constructor(set, view, tell) {
    this.address = `${ofSet(set)}/views/${encodeURIComponent(view)}`;
    this.tell = tell;
    /** @type {Map<number, Item[]>} */
    this.blocks = new Map();
    /** @type {Map<number, AbortController>} */
    this.under_way = new Map();
    /** @type {number[]} */
    this.wanted = [];
    this.closed = false;
  }

  /** @param {number} index @returns {Item | undefined} */
  at(index) {
    return this.blocks.get(Math.floor(index / BLOCK))?.[index % BLOCK];
  }

  /**
   * The item, fetched if need be.
   * @param {number} index @returns {Promise<Item | undefined>}
   */
  async have(index) {
    if (!this.at(index)) await this.load(Math.floor(index / BLOCK));
    return this.at(index);
  }

  /** Ask for what is in sight. @param {number} first @param {number} last */
  want(first, last) {
    this.wanted = [];
    for (let block = Math.floor(first / BLOCK); block <= Math.floor(last / BLOCK); block++) {
      const held = this.blocks.get(block);
      if (held) {
        this.blocks.delete(block); // the newest in sight are last in the map
        this.blocks.set(block, held);
      } else if (!this.under_way.has(block)) this.wanted.push(block);
    }
    for (const [block, request] of this.under_way) {
      if (block < Math.floor(first / BLOCK) - 1 || block > Math.floor(last / BLOCK) + 1) {
        request.abort();
        this.under_way.delete(block);
      }
    }
    this.pump();
  }

  pump() {
    while (!this.closed && this.under_way.size < AT_ONCE && this.wanted.length) {
      void this.load(/** @type {number} */ (this.wanted.shift()));
    }
  }

  /** @param {number} block */
  async load(block) {
    const request = new AbortController();
    this.under_way.set(block, request);
    try {
      const answer = await get(`${this.address}?start=${block * BLOCK}&count=${BLOCK}`, request.signal);
      if (this.closed) return;
      this.blocks.set(block, answer.items);
      while (this.blocks.size > BLOCKS_HELD) this.blocks.delete(this.blocks.keys().next().value ?? 0);
      this.tell.loaded(block * BLOCK, block * BLOCK + answer.items.length - 1);
    } catch (error) {
      const { name, status } = /** @type {any} */ (error);
      if (name === "AbortError" || this.closed) return;
      if (status === 410 || status === 404) this.tell.gone();
      else this.tell.failed(/** @type {Error} */ (error));
    } finally {
      if (this.under_way.get(block) === request) this.under_way.delete(block);
      this.pump();
    }
  }

  /** Fetch again what is held, after decisions that were made elsewhere. @param {number} first @param {number} last */
  refresh(first, last) {
    const [low, high] = [Math.floor(first / BLOCK), Math.floor(last / BLOCK)];
    for (const block of [...this.blocks.keys()]) if (block < low || block > high) this.blocks.delete(block);
    for (let block = low; block <= high; block++) void this.load(block);
  }

  close() {
    this.closed = true;
    for (const request of this.under_way.values()) request.abort();
  }
}
