"""Items between the wire and core."""

from magpie.v1 import item_pb2 as item_pb
from magpie_services.core.items import Item, Text, pictured
from magpie_services.wire import values

# Where the names of a field differ between core (as violations give them) and the wire.
FIELDS = {
    "title": "text.title",
    "description": "text.description",
    "price.minor": "price.minor_units",
    "list_price.minor": "list_price.minor_units",
    "published_ms": "publish_time",
}


def item_from_proto(message: item_pb.Item) -> Item:
    """The item in core's words, unchecked."""
    return Item(
        item_id=message.item_id,
        version=message.version,
        title=message.text.title,
        description=message.text.description,
        locale=message.locale,
        translations={
            locale: Text(title=text.title, description=text.description)
            for locale, text in message.translations.items()
        },
        categories=list(message.categories),
        brand=message.brand,
        vendor=message.vendor,
        price=values.money_from_proto(message.price) if message.HasField("price") else None,
        list_price=values.money_from_proto(message.list_price) if message.HasField("list_price") else None,
        stock=message.stock if message.HasField("stock") else None,
        attributes={name: list(words.values) for name, words in message.attributes.items()},
        image_uri=message.image_uri,
        link=message.link,
        rating=message.rating,
        rating_count=message.rating_count,
        published_ms=values.milliseconds(message.publish_time),
        updated_ms=values.milliseconds(message.update_time),
        restock_ms=values.milliseconds(message.restock_time),
        withdrawn=message.withdrawn,
        picture_vector=pictured(message.picture_vector),
    )


def item_to_proto(item: Item, *, picture: bool = True) -> item_pb.Item:
    """The item as a message, with its picture's vector or without."""
    return item_pb.Item(
        item_id=item.item_id,
        version=item.version,
        text=item_pb.ItemText(title=item.title, description=item.description),
        locale=item.locale,
        translations={
            locale: item_pb.ItemText(title=text.title, description=text.description)
            for locale, text in item.translations.items()
        },
        categories=item.categories,
        brand=item.brand,
        vendor=item.vendor,
        price=values.money_to_proto(item.price),
        list_price=values.money_to_proto(item.list_price),
        stock=item.stock,
        attributes={name: item_pb.AttributeValues(values=words) for name, words in item.attributes.items()},
        image_uri=item.image_uri,
        link=item.link,
        rating=item.rating,
        rating_count=item.rating_count,
        publish_time=values.timestamp(item.published_ms),
        update_time=values.timestamp(item.updated_ms),
        restock_time=values.timestamp(item.restock_ms),
        withdrawn=item.withdrawn,
        picture_vector=item.picture.tolist() if picture else None,
    )
