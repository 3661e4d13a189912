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
 * @property {string} [like] of likely wrong labels: the label it looks like
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
    /** @type {Map<number, {request: AbortController, done: Promise<void>, waiting: number}>} */
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
   * The item, fetched if need be: a decision waits for it, so that scrolling on does not call it off.
   * @param {number} index @returns {Promise<Item | undefined>} undefined where it cannot be had
   */
  async have(index) {
    const block = Math.floor(index / BLOCK);
    if (!this.at(index)) {
      if (!this.under_way.has(block)) void this.load(block);
      const load = this.under_way.get(block);
      if (load) {
        load.waiting++;
        await load.done;
        load.waiting--;
      }
    }
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
    for (const [block, load] of this.under_way) {
      if (!load.waiting && (block < Math.floor(first / BLOCK) - 1 || block > Math.floor(last / BLOCK) + 1)) {
        load.request.abort();
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

  /** @param {number} block @returns {Promise<void>} */
  load(block) {
    const request = new AbortController();
    const former = this.under_way.get(block);
    const load = { request, waiting: former?.waiting ?? 0, done: Promise.resolve() };
    this.under_way.set(block, load);
    load.done = this.fetch(block, request).finally(() => {
      if (this.under_way.get(block) === load) this.under_way.delete(block);
      this.pump();
    });
    return load.done;
  }

  /** @param {number} block @param {AbortController} request */
  async fetch(block, request) {
    try {
      const answer = await get(`${this.address}?start=${block * BLOCK}&count=${BLOCK}`, request.signal);
      this.blocks.set(block, answer.items);
      while (this.blocks.size > BLOCKS_HELD) this.blocks.delete(this.blocks.keys().next().value ?? 0);
      if (!this.closed) this.tell.loaded(block * BLOCK, block * BLOCK + answer.items.length - 1);
    } catch (error) {
      const { name, status } = /** @type {any} */ (error);
      if (name === "AbortError" || this.closed) return;
      if (status === 410 || status === 404) this.tell.gone();
      else this.tell.failed(/** @type {Error} */ (error));
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
    for (const load of this.under_way.values()) if (!load.waiting) load.request.abort();
  }
}
