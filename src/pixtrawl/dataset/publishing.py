"""The method `Dataset.publish`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from pixtrawl.dataset.keywords import named
from pixtrawl.dataset.places import AnySamples
from pixtrawl.model import Sample

if TYPE_CHECKING:
    from pixtrawl.config.groups import Config
    from pixtrawl.publishing.publish import Published

__all__ = ["Publishing"]


class Publishing:
    """The method of `Dataset` that sends it to the Hugging Face Hub."""

    _samples: AnySamples

    def __iter__(self) -> Iterator[Sample]:
        """Yield every image."""
        yield from self._samples

    @named
    def publish(  # noqa: PLR0913 - one for each option of the command
        self,
        to: str,
        *,
        dry_run: bool = False,
        allow_unknown_rights: bool = False,
        private: bool = False,
        overwrite: bool = False,
        message: str | None = None,
        config: Config | None = None,
        resize: int | str | None = None,
        resize_mode: str | None = None,
        upscale: bool = True,
        encode: str | None = None,
        quality: int | None = None,
        flatten: str | None = None,
        split: str | Mapping[str, float] | None = None,
        split_by: Literal["label", "host"] = "label",
        seed: int = 0,
        balance: int | Literal["min"] | None = None,
        label: str | Iterable[str] | None = None,
        license: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        min_size: str | int | tuple[int, int] | None = None,
        caption: str | None = None,
        shard_size: int | str | None = None,
        shard_images: int | None = None,
        skip_bad: bool = False,
        embedding: str | None = None,
        title: str | None = None,
    ) -> Published:
        """Send these images to the Hugging Face Hub, as `pixtrawl publish` does: changes only.

        The token is that of `hf auth login` or HF_TOKEN. A call that broke off goes on.

        Args:
            to: `hf://user/name`, or `hf://user/name@branch`.
            dry_run: send nothing; the result has the differences and the card.
            allow_unknown_rights: publish images of unknown rights, too; never those whose owner
                refuses training.
            private: make the repository private when it is created.
            overwrite: replace files that came from elsewhere, or were changed on the Hub.
            message: of the commit.
            config: where `publish.hub_url`, `resize`, `encode`, `quality` and `split` come from if
                not given; None: the user's own file and the environment.
            resize: as of `export`, like all that follow.
            resize_mode: keep_ratio_largest, keep_ratio, center_crop, border or no.
            upscale: whether small pictures are enlarged, too.
            encode: jpg, png, webp or avif; None: bytes are kept.
            quality: 1 to 100.
            flatten: colour that transparent parts are put on.
            split: shares, "train=0.8,val=0.2" or {"train": 0.8, "val": 0.2}; None: one split.
            split_by: "label": near duplicates on one side; "host": whole hosts, too.
            seed: of splits and shuffling.
            balance: so many images of each label; "min": as many as the smallest has.
            label: only these labels.
            license: only these: open, public, commercial, modify, or ids such as cc-by; an id that
                is not open is published on your responsibility.
            exclude: leave out images with these marks: "ai-made", "no-training", "c2pa".
            min_size: only images at least so large, in pixels.
            caption: origins of captions, such as "alt,title"; None: as chosen for the set.
            shard_size: largest shard: bytes, or "500M".
            shard_images: most images in a shard.
            skip_bad: leave out files that cannot be read, and count them.
            embedding: add the embeddings by a model as a column.
            title: heading of the data card.

        Returns:
            What was sent: `difference.counts()`, `commit`, `url`.

        Raises:
            UsageError: images may not be passed on, the token may not write, or names are wrong.
            EnvironmentFailedError: the Hub cannot be reached; the same call goes on.
            MissingExtraError: the extra `publish` is not installed.

        Example:
            >>> ds.publish("hf://me/cats", license="open", dry_run=True).difference.counts()
        """
        from pixtrawl.config.groups import Config
        from pixtrawl.dataset.exporting import ExportChoice, export_options
        from pixtrawl.publishing.publish import PublishOptions, publish

        settings = Config.load() if config is None else config
        given = ExportChoice(
            resize=resize,
            resize_mode=resize_mode,
            upscale=upscale,
            encode=encode,
            quality=quality,
            flatten=flatten,
            split=split,
            split_by=split_by,
            seed=seed,
            balance=balance,
            label=label,
            license=license,
            exclude=exclude,
            min_size=min_size,
            caption=caption,
            repeats=1,
            shard_size=shard_size,
            shard_images=shard_images,
            skip_bad=skip_bad,
            embedding=embedding,
            formulas=None,
            title=title,
        )
        options = PublishOptions(
            export=export_options(given, settings),
            allow_unknown_rights=allow_unknown_rights,
            private=private,
            overwrite=overwrite,
            dry_run=dry_run,
            message=message,
            place=settings.publish,
        )
        return publish(self, self._samples.folder.root, to, options)
